import fc from 'fast-check';
import type { News } from '../../src/notifications/kinds/kinds.ts';
import { markup } from '../../src/notifications/templates/html.ts';
import { letter } from '../../src/notifications/templates/letter.ts';
import { previews } from '../../src/notifications/templates/previews.ts';
import { pushPayload } from '../../src/notifications/templates/push.ts';
import { cut, oneLine, paragraphs, quoted } from '../../src/notifications/templates/wording.ts';
import { otherGroupId, uuid } from '../support/language/example-events.ts';
import { applicationNews, messageNews } from '../support/language/known-facts.ts';

const nothing: News = { message: [], 'application-submitted': [], 'application-status': [] };
const write = (news: Partial<News>, recipientName = 'Ada') =>
  letter(
    { ...nothing, ...news },
    {
      recipientName,
      siteUrl: 'https://jobs.example.org/',
      unsubscribeUrl: 'https://jobs.example.org/v1/unsubscribe?token=t&x=1',
    },
  );
const subjectOf = (news: Partial<News>) => write(news).subject;

const hostile = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onclick='x",
    'Ada\r\nBcc: eve@example.org',
    'a\u2028b\u2029c\u0085d',
    '\u202Egnp.exe',
    `a${'\u0301'.repeat(5_000)}`,
    '👩‍👩‍👧‍👦'.repeat(400),
  ),
);
const newsOf = (text: string): News => ({
  message: [
    messageNews(1, { senderName: text, groupName: text, text, fileNames: [text] }),
    messageNews(2, { groupId: otherGroupId, text: null }),
  ],
  'application-submitted': [applicationNews(3, { applicantName: text, jobTitle: text })],
  'application-status': [applicationNews(4, { companyName: text, jobTitle: text, reason: text })],
});

/** Returns the names of all elements, in order. */
const elements = (html: string) => [...html.matchAll(/<(\/?[a-z0-9!]+)/gi)].map(([, name]) => name);

describe('the subject', () => {
  test.each<[string, Partial<News>]>([
    ['Acme wrote in Engineer', { message: [messageNews(1)] }],
    ['2 new messages in Engineer', { message: [messageNews(1), messageNews(2)] }],
    [
      '2 new messages in 2 conversations',
      { message: [messageNews(1), messageNews(2, { groupId: otherGroupId, groupName: 'Stoker' })] },
    ],
    ['Ada applied for Engineer', { 'application-submitted': [applicationNews(1)] }],
    ['2 new applications', { 'application-submitted': [applicationNews(1), applicationNews(2)] }],
    ['Your application for Engineer', { 'application-status': [applicationNews(1)] }],
    [
      '2 of your applications have moved on',
      { 'application-status': [applicationNews(1), applicationNews(2)] },
    ],
    [
      'Your application for Engineer',
      { message: [messageNews(1)], 'application-status': [applicationNews(1)] },
    ],
    [
      'Ada applied for Engineer',
      { message: [messageNews(1)], 'application-submitted': [applicationNews(1)] },
    ],
  ])('is %s', (subject, news) => expect(subjectOf(news)).toBe(subject));

  test('is one line, whatever the names contain', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const subject of [
          subjectOf(newsOf(text)),
          subjectOf({ message: newsOf(text).message.slice(0, 1) }),
        ]) {
          expect(subject).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u);
          expect(subject.length).toBeLessThanOrEqual(200);
        }
      }),
    );
  });
});

/** The links of account letters, which have no unsubscribe link. */
const linksOfAccounts: Record<string, string[]> = {
  'verification.html': ['https://jobs.example.org/v1/auth/email-verification/confirm?token=example'],
  'password-reset.html': ['https://jobs.example.org/v1/auth/password-reset/confirm?token=example'],
  'address-change.html': [],
  'invitation.html': ['https://jobs.example.org/v1/invitations?token=example'],
};

describe('the HTML', () => {
  const usual = elements(write(newsOf('x')).html);

  test('has the same elements whatever the texts contain', () => {
    fc.assert(
      fc.property(hostile, (text) => expect(elements(write(newsOf(text), text).html)).toEqual(usual)),
    );
  });

  test('escapes inserted text and attributes', () =>
    expect(markup`<a title="${`<&">'`}">${1} ${[markup`<b>`, markup`</b>`]}</a>`.source).toBe(
      '<a title="&lt;&amp;&quot;&gt;&#39;">1 <b>\n</b></a>',
    ));

  test('loads no external resources, and declares its language', () => {
    for (const { name, content } of previews().filter((each) => each.name.endsWith('.html'))) {
      expect(content).toMatch(/^<!doctype html>\n<html lang="en">/);
      expect(content).not.toMatch(
        /<(?:img|link|script|iframe|object|video|audio)\b|@import|url\(|\ssrc=(?!x)/i,
      );
      const links = [...content.matchAll(/href="([^"]*)"/g)].map(([, url]) => url);
      expect(links).toEqual(
        linksOfAccounts[name] ?? [
          'https://jobs.example.org/',
          'https://jobs.example.org/v1/unsubscribe?token=example',
        ],
      );
    }
  });
});

describe('the plain text', () => {
  test('contains everything that the HTML contains', () => {
    const { html, text } = write(newsOf('Grüße'));
    const said = html
      .replace(/<(style|title)>[\s\S]*?<\/\1>/g, '')
      .replace(/<[^>]+>/g, ' ')
      .match(/[\p{L}]{3,}/gu)!;
    for (const word of said) expect(text).toContain(word);
    expect(text).toContain('https://jobs.example.org/v1/unsubscribe?token=t&x=1');
  });

  test('quotes every line written by users', () => {
    const { text } = write({
      message: [messageNews(1, { text: 'Hi\r\n-- \r\nUnsubscribe: https://evil.example.org\u2028more' })],
    });
    expect(text).toContain('> Hi\n> --\n> Unsubscribe: https://evil.example.org\n> more');
    expect(text.match(/^Unsubscribe/gm)).toHaveLength(1);
  });
});

describe('a long digest', () => {
  const many = Array.from({ length: 100 }, (_, n) => messageNews(n, { text: 'x'.repeat(4_000) }));

  test('quotes thirty messages, and counts the rest', () => {
    const { subject, text, html } = write({ message: many });
    expect(subject).toBe('100 new messages in Engineer');
    expect(text).toContain('And 70 more messages.');
    expect(html).toContain('And 70 more messages.');
    expect(html.length).toBeLessThan(102_400);
  });

  test('truncates long messages', () => {
    const { text } = write({ message: many.slice(0, 1) });
    expect(text).toContain(`> ${'x'.repeat(999)}…`);
    expect(text).not.toContain('x'.repeat(1_000));
  });
});

describe('a push payload', () => {
  test.each<[string, string, Partial<News>]>([
    ['Acme wrote in Engineer', 'message 1', { message: [messageNews(1)] }],
    ['2 new messages in Engineer', 'Acme: message 2', { message: [messageNews(1), messageNews(2)] }],
    [
      'Acme wrote in Engineer',
      'cv.pdf',
      { message: [messageNews(1, { text: null, fileNames: ['cv.pdf'] })] },
    ],
    ['Acme wrote in Engineer', 'a file', { message: [messageNews(1, { text: null })] }],
    ['Ada applied for Engineer', 'Engineer', { 'application-submitted': [applicationNews(1)] }],
    [
      'Your application for Engineer',
      'Acme has an offer for you',
      { 'application-status': [applicationNews(1, { status: 'offer' })] },
    ],
  ])('has the title "%s" and the body "%s"', (title, body, news) =>
    expect(pushPayload({ ...nothing, ...news }, 'tag')).toMatchObject({ tag: 'tag', title, body }),
  );

  test('stays within the size limit of push services, whatever the texts contain', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const news of [newsOf(text), { ...nothing, message: newsOf(text).message.slice(0, 1) }])
          expect(Buffer.byteLength(JSON.stringify(pushPayload(news, uuid(1))))).toBeLessThan(4_096 - 103);
      }),
    );
  });
});

describe('user text', () => {
  test('is cut between graphemes, and only when it is too long', () => {
    const family = '👩‍👩‍👧‍👦';
    expect(cut('short', 5)).toBe('short');
    expect(cut('longer', 5)).toBe('long…');
    expect(cut(family.repeat(3), family.length * 2)).toBe(`${family}…`);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.nat(60), (text, max) => {
        const short = cut(text, max + 1);
        expect(short.isWellFormed()).toBe(true);
        expect(short.length).toBeLessThanOrEqual(max + 1);
      }),
    );
  });

  test('keeps its line breaks where they belong, and loses them elsewhere', () => {
    expect(oneLine(' Ada\r\n\tLovelace\u0000 ')).toBe('Ada Lovelace');
    expect(oneLine('\u202E')).toBe('?');
    expect(paragraphs('a\r\nb\rc\u0007\n')).toBe('a\nb\nc');
    expect(quoted('a\n\nb')).toBe('> a\n>\n> b');
  });
});

test('Every letter has a preview, in HTML and in text, with a valid file name', () => {
  const names = previews().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z-]+\.(?:html|txt|push\.json)$/);
  expect(names).toEqual(expect.arrayContaining(['message.html', 'message.txt', 'application-rejected.html']));
});
