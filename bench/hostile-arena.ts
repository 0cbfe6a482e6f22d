import type { DomainEvent } from '../src/events/domain-event.ts';
import type { EventStore } from '../src/events/event-store.ts';
import { GroupId, UserId } from '../src/events/ids.ts';
import { accountStream } from '../src/events/streams.ts';
import { newId } from '../src/kit/uuids.ts';
import { TEXT } from './append-peers.ts';
import { type Arena, type AttackName, attacks } from './attacks.ts';
import { inFlight } from './bench.ts';
import type { Attacker } from './hostile-client.ts';
import type { RunningServer } from './running-server.ts';
import { type World, appendTo, fillConversation, makeWorld } from './world.ts';

export const attackNames = Object.keys(attacks) as AttackName[];

const FREQUENT_WORD = TEXT.split(' ')[1]!;
const MESSAGES_EACH = 10;

export interface Sizes {
  rounds: number;
  /** The groups of the companies of all rounds together. */
  companyGroups: number;
  crowd: number;
  changesOfPreferences: number;
}

type Preferences = Extract<DomainEvent, { type: 'NotificationPreferencesSet' }>['data']['preferences'];

/** The attackers of one round. */
interface Cast {
  companyId: UserId;
  muterId: UserId;
  preferences: Preferences;
  readers: Record<AttackName, World['groups'][number]>;
}

export interface Filled {
  bystanders: World;
  crowd: World['groups'][number];
  casts: Cast[];
}

/** Appends the targets and all attackers. */
export async function fill(store: EventStore, sizes: Sizes): Promise<Filled> {
  const bystanders = await makeWorld(store, { groups: 20, members: 10 });
  const [crowd] = (await makeWorld(store, { groups: 1, members: sizes.crowd })).groups;
  const casts: Cast[] = [];
  for (let round = 0; round < sizes.rounds; round += 1) casts.push(await castOfRound(store, sizes));
  return { bystanders, crowd: crowd!, casts };
}

/** Every attack has fresh attackers with full budgets. */
async function castOfRound(
  store: EventStore,
  { rounds, companyGroups, changesOfPreferences }: Sizes,
): Promise<Cast> {
  const append = appendTo(store);
  const companyId = UserId.parse(newId());
  await append(accountStream(companyId), {
    type: 'AccountRegistered',
    data: { userId: companyId, role: 'company', displayName: 'Everywhere' },
  });
  const groups = Math.ceil(companyGroups / rounds);
  const owned = await makeWorld(store, { groups, members: 1, adminId: companyId });
  await inFlight(20, owned.groups, (group) => fillConversation(store, group, MESSAGES_EACH));

  const muterId = UserId.parse(newId());
  await append(accountStream(muterId), {
    type: 'AccountRegistered',
    data: { userId: muterId, role: 'applicant', displayName: 'Rather not' },
  });
  const muted = Array.from({ length: 1_000 }, () => GroupId.parse(newId()));
  const preferencesOf = (digestMinutes: number) => ({
    ...{ email: true, push: true, muted, quietHours: null, digestMinutes },
  });
  for (let change = 1; change <= changesOfPreferences; change += 1)
    await append(accountStream(muterId), {
      type: 'NotificationPreferencesSet',
      data: { userId: muterId, preferences: preferencesOf(change % 1_440) },
    });

  const world = await makeWorld(store, { groups: attackNames.length, members: 25 });
  const readers = Object.fromEntries(attackNames.map((name, index) => [name, world.groups[index]]));
  return {
    ...{ companyId, muterId, preferences: preferencesOf(changesOfPreferences % 1_440) },
    readers: readers as Cast['readers'],
  };
}

export async function arenaOf(
  { server, filled, tokenOf }: RunningServer<Filled>,
  name: AttackName,
  round: number,
): Promise<Arena> {
  const cast = filled.casts[round] as Cast;
  const readers = cast.readers[name];
  const attackers = ({ members }: World['groups'][number]): Promise<Attacker[]> =>
    Promise.all(members.map(async (userId) => ({ userId, token: await tokenOf(userId) })));
  const { quietHours: _none, ...preferences } = cast.preferences;
  const posterId = readers.members[0] as UserId;
  return {
    url: server.url,
    address: `127.0.${round + 1}.${attackNames.indexOf(name) + 1}`,
    company: { userId: cast.companyId, token: await tokenOf(cast.companyId, 'company') },
    poster: { userId: posterId, token: await tokenOf(posterId, 'company') },
    frequentWord: FREQUENT_WORD,
    crowd: (await attackers(filled.crowd)).slice(1),
    crowdGroupId: filled.crowd.groupId,
    readers: await attackers(readers),
    readersGroupId: readers.groupId,
    muter: { userId: cast.muterId, token: await tokenOf(cast.muterId) },
    preferences,
  };
}
