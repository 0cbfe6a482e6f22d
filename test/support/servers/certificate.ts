/**
 * A server certificate for tests, valid for a hundred years, for localhost, push.example.com and the
 * loopback addresses. It is self-signed, so clients must be configured to trust it.
 */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBwDCCAWegAwIBAgIUdV6rxRWgSMnZlNsWOWU5iDnQ+o0wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjExMTIxNloYDzIxMjYxMDI5
MTExMjE2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATJmwMywjiESmOFdKuUJ9fNuug/GZmbSpCwF2ie/1Q4MAp5Hqokfevs
lDPWO/Fcm8zbOPb9qQNeNGdzuZTuTvlpo4GUMIGRMB0GA1UdDgQWBBSzOQLtim5E
4pMirgO4CWVCFV48dDAfBgNVHSMEGDAWgBSzOQLtim5E4pMirgO4CWVCFV48dDAP
BgNVHRMBAf8EBTADAQH/MD4GA1UdEQQ3MDWCCWxvY2FsaG9zdIIQcHVzaC5leGFt
cGxlLmNvbYcEfwAAAYcQAAAAAAAAAAAAAAAAAAAAATAKBggqhkjOPQQDAgNHADBE
AiAnoqwEGabTCN4UTOtlYBJL59yeu3j+ps5fxMtV6dVATwIgF3xLlAt4p+TxE1Xp
McEW9JR9gNFPhNnJlFSEz9eWRj8=
-----END CERTIFICATE-----
`;

/** The key of the certificate above, used for nothing else. */
export const certificateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGpfnnR4vfmdGLwAz
/tKQGznmhXKRll54UjYj5LH456uhRANCAATJmwMywjiESmOFdKuUJ9fNuug/GZmb
SpCwF2ie/1Q4MAp5HqokfevslDPWO/Fcm8zbOPb9qQNeNGdzuZTuTvlp
-----END PRIVATE KEY-----
`;
