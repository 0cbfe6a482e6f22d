import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { text } from '../events/text.ts';

const LONGEST = 254;

/** A valid e-mail address of the HTML Standard, §4.10.5.1.5, as `<input type=email>` accepts it. */
const VALID =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Other ASCII characters would add more than a domain to a URL. */
const INTERNATIONAL = /^(?:[a-z0-9.-]|[^\p{ASCII}])+$/iu;
const NOT_ASCII = /[^\p{ASCII}]/u;

/** Returns the domain as A-labels (UTS #46), as browsers send it. A domain without A-labels stays as it is. */
const asciiDomain = (domain: string): string =>
  NOT_ASCII.test(domain) && INTERNATIONAL.test(domain) ? domainToASCII(domain) || domain : domain;

/**
 * An e-mail address in the one form that is stored: trimmed, in lower case, with a domain of A-labels. One
 * address belongs to one account, however it is written.
 */
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
