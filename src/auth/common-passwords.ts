/** The passwords of eight characters and more that every guessing tool tries first, in lower case. */
export const commonPasswords: ReadonlySet<string> = new Set(
  `00000000 000000000 0000000000 0123456789 0987654321 101010101 1111111111 111111111 11111111 112233445566 11223344
  12121212 1234512345 12344321 123454321 123456123456 123456123 1234567890 123456789 12345678910 12345678 123456789a
  1234567a 12345qwert 1234qwer 123123123 12312312 123321123 1234abcd 147258369 159357159 1q2w3e4r 1q2w3e4r5t
  1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 22222222 33333333 44444444 55555555 66666666 77777777 789456123 87654321
  88888888 963852741 987654321 9876543210 99999999 a1234567 a12345678 a123456789 aa123456 aa12345678 aaaaaaaa abc12345
  abc123456 abcd1234 abcdefgh access14 admin123 admin1234 administrator alexander asdf1234 asdfasdf asdfghjk asdfghjkl
  babygirl baseball basketball blink182 butterfly changeme changeme123 charlie1 chocolate computer consumer corvette
  cricket1 danielle dolphins elephant facebook football football1 freedom1 garfield hello123 helloworld iloveyou
  iloveyou1 iloveyou2 internet jennifer jonathan jordan23 katherine letmein1 letmein123 liverpool lovelove marlboro
  maverick mercedes metallica michael1 michelle midnight monkey123 mustang1 password password! password. password1
  password1! password12 password123 password1234 passw0rd p@ssw0rd p@ssword pa55word princess princess1 q1w2e3r4
  q1w2e3r4t5 qazwsxedc qwer1234 qwerasdf qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyui qwertyuiop
  samantha scorpion secret123 something spiderman starwars startrek sunshine sunshine1 superman superman1 superstar
  target123 test1234 testtest testing1 trustno1 victoria welcome1 welcome123 whatever windows1 wolverine zaq12wsx
  zaq1zaq1 zxcvbnm1 zxcvbnm123 zxcvbnmasdfghjkl`.split(/\s+/),
);
