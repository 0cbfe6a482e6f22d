/** The passwords of eight characters and more that every guessing tool tries first, in lower case. */
export const commonPasswords: ReadonlySet<string> = new Set(
  `00000000 11111111 12341234 12345678 123456789 1234567890 87654321 88888888 1q2w3e4r 1qaz2wsx abcd1234 asdfghjk
  asdfghjkl baseball football iloveyou passw0rd password princess qwerty123 qwertyui qwertyuiop sunshine
  trustno1`.split(/\s+/),
);
