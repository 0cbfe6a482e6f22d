import { randomBytes } from 'node:crypto';

/** What is known of a word or an id that should reach certain people only. */
interface Canary {
  /** Such as `e-mail address`. */
  kind: string;
  owner: string;
  /** Everybody who may see it. A live set may grow. */
  seenBy: ReadonlySet<string>;
  /** Those of them who have to see it. */
  expectedBy: readonly string[];
}

/** Where somebody has first seen something, for each channel. */
type Sightings = Map<string, { call: string; excerpt: string }>;

const MARK = 'canary';
/** The first characters of a word name it, so that a text that is cut off is recognized as well. */
const KEY_LENGTH = MARK.length + 8;
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const TOKEN = new RegExp(`${MARK}[0-9a-f]{8,}|${UUID}`, 'gi');
const IS_UUID = new RegExp(`^${UUID}$`, 'i');
/** Runs of characters that may be base64, in its two alphabets. */
const CODED = [/[\w-]{24,}/g, /[A-Za-z0-9+/]{24,}/g];
const AROUND = 60;

const keyOf = (token: string) =>
  IS_UUID.test(token) ? token.toLowerCase() : token.toLowerCase().slice(0, KEY_LENGTH);

/** Returns the words and ids in a text, with their places. */
const tokensIn = (text: string) =>
  [...text.matchAll(TOKEN)].map((found) => ({ key: keyOf(found[0]), at: found.index }));

/** Returns what a text has in base64, such as cursors and tokens. */
const decoded = (text: string): string[] =>
  CODED.flatMap((coded) => text.match(coded) ?? []).flatMap((run) =>
    IS_UUID.test(run) ? [] : Buffer.from(run, 'base64').toString('latin1'),
  );

/** Releases words that are found again wherever they appear, and keeps a record of who saw them where. */
export function createCanaries() {
  const canaries = new Map<string, Canary>();
  const seen = new Map<string, Map<string, Sightings>>();

  function note(
    observer: string,
    channel: string,
    call: string,
    key: string,
    text: string,
    at: number,
  ): void {
    const ofObserver = seen.get(observer) ?? new Map<string, Sightings>();
    const sightings: Sightings = ofObserver.get(key) ?? new Map();
    seen.set(observer, ofObserver.set(key, sightings));
    if (sightings.has(channel)) return;
    const excerpt = text.slice(Math.max(0, at - AROUND), at + AROUND).replaceAll(/\s+/g, ' ');
    sightings.set(channel, { call, excerpt });
  }

  function* sightings() {
    for (const [observer, keys] of seen)
      for (const [key, channels] of keys) {
        const canary = canaries.get(key);
        if (canary)
          for (const [channel, sighting] of channels) yield { observer, canary, channel, ...sighting };
      }
  }

  return {
    /** Makes a new word. */
    release(canary: Canary): string {
      const word = `${MARK}${randomBytes(8).toString('hex')}`;
      canaries.set(keyOf(word), canary);
      return word;
    },

    /** Watches for an id, which the server has made. */
    watch(id: string, canary: Canary): void {
      canaries.set(keyOf(id), canary);
    },

    /**
     * Records what has reached an observer. Ids that are also in `said`, the request, are its echo. Words never are,
     * because a search for a word shows what it finds.
     */
    record(observer: string, channel: string, call: string, text: string, said = ''): void {
      const echoes = new Set(tokensIn(said).flatMap(({ key }) => (key.startsWith(MARK) ? [] : key)));
      for (const part of [text, ...decoded(text)])
        for (const { key, at } of tokensIn(part))
          if (!echoes.has(key)) note(observer, channel, call, key, part, at);
    },

    /** Returns true if a text names an id that is not for the observer. */
    isForeign: (observer: string, text: string): boolean =>
      tokensIn(text).some(
        ({ key }) => IS_UUID.test(key) && canaries.get(key)?.seenBy.has(observer) === false,
      ),

    /** Returns who saw what was not for them, and where. */
    leaks(): string[] {
      return [...sightings()]
        .filter(({ observer, canary }) => !canary.seenBy.has(observer))
        .map(
          ({ observer, canary: { kind, owner }, channel, call, excerpt }) =>
            `${observer} saw the ${kind} of ${owner} in ${channel}, ${call}: …${excerpt}…`,
        );
    },

    /** Returns who has not seen what was for them. */
    missing(): string[] {
      return [...canaries].flatMap(([key, { kind, owner, expectedBy }]) =>
        expectedBy
          .filter((name) => !seen.get(name)?.has(key))
          .map((name) => `${name} has not seen the ${kind} of ${owner}, ${key}`),
      );
    },

    /** Returns the kinds of words and ids that the observer saw in a channel, as `kind of owner`. */
    seenIn(observer: string, channel: string): Set<string> {
      const found = new Set<string>();
      for (const [key, channels] of seen.get(observer) ?? []) {
        const canary = canaries.get(key);
        if (canary && channels.has(channel)) found.add(`${canary.kind} of ${canary.owner}`);
      }
      return found;
    },
  };
}

export type Canaries = ReturnType<typeof createCanaries>;
