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

/** A certificate for clients with the name `chat`, self-signed as well, so servers trust it as its own authority. */
export const clientCertificate = `-----BEGIN CERTIFICATE-----
MIIBiTCCATCgAwIBAgIUeEzB9k9Zu3/EpoESPIN2NXdsJiswCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEY2hhdDAgFw0yNjExMzAwMzAzMDdaGA8yMTI2MTEwNjAzMDMw
N1owDzENMAsGA1UEAwwEY2hhdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCW1
CQJqT1OEQPBVZwGTIWqzlfjILSCuN1M7a6gqouhTFwK5y3WwFqKyfUOxW+LpSOVx
l6XNIw+w1vwSQWusqy+jaDBmMB0GA1UdDgQWBBTqU6k1HBUkQT39j3+M7LPVUOHH
izAfBgNVHSMEGDAWgBTqU6k1HBUkQT39j3+M7LPVUOHHizAPBgNVHRMBAf8EBTAD
AQH/MBMGA1UdJQQMMAoGCCsGAQUFBwMCMAoGCCqGSM49BAMCA0cAMEQCIFShXEpK
stI7r9fMbc4437rlfnWVt5lDbn3zIy+KFyyOAiA3Krxye/RDi8iA28qn3k4xbe0h
k9LUfljfdcpfwTX2vQ==
-----END CERTIFICATE-----
`;

/** The key of the client's certificate, used for nothing else. */
export const clientKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgi5GcjvK2MC9Pk5vZ
ZVgnYptjnjyaSNh3SrQ2frnKQgShRANCAAQltQkCak9ThEDwVWcBkyFqs5X4yC0g
rjdTO2uoKqLoUxcCuct1sBaisn1DsVvi6UjlcZelzSMPsNb8EkFrrKsv
-----END PRIVATE KEY-----
`;
