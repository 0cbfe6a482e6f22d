import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { text } from '../events/text.ts';

const LONGEST = 254;

/** A valid e-mail address of the HTML Standard, §4.10.5.1.5: what `<input type=email>` accepts. */
const VALID =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Anything else in ASCII would mean more than a domain where URLs are read. */
const INTERNATIONAL = /^(?:[a-z0-9.-]|[^\p{ASCII}])+$/iu;
const NOT_ASCII = /[^\p{ASCII}]/u;

/** The domain as A-labels (UTS #46), as browsers send it; one that has none stays as it is. */
const asciiDomain = (domain: string): string =>
  NOT_ASCII.test(domain) && INTERNATIONAL.test(domain) ? domainToASCII(domain) || domain : domain;

/** One address, one account: however it is written, it is kept trimmed, in lower case, with a domain of A-labels. */
export const EmailAddress = text(3, LONGEST)
  .transform((written) => {
    const address = written.trim();
    const domainAt = address.lastIndexOf('@') + 1;
    return (address.slice(0, domainAt) + asciiDomain(address.slice(domainAt))).toLowerCase();
  })
  .pipe(z.string().max(LONGEST).regex(VALID, 'Invalid email address'))
  .meta({
    format: 'email',
    description: 'Spaces around it are dropped; an international domain may be written as it is read',
  });
