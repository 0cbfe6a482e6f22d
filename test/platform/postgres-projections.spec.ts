import { handledBy } from '../../src/platform/postgres-projections.ts';
import type { Projection } from '../../src/projections/projection.ts';
import { deleted, said } from '../support/conversation.ts';
import { ada, joined } from '../support/example-events.ts';
import { recorded } from '../support/projection.ts';

const log = recorded([said(1), said(2, ada, null), deleted(1), joined(ada)]);
const handles: Projection['handles'] = ['MessageSent', 'MessageDeleted'];
const withText: Projection['concerns'] = (event) => event.type !== 'MessageSent' || event.data.text !== null;

describe('the events that concern a projection', () => {
  test('are those of its types', () =>
    expect(handledBy({ handles }, log).map(({ position }) => position)).toEqual([1, 2, 3]));

  test('are fewer when it says so', () =>
    expect(handledBy({ handles, concerns: withText }, log).map(({ position }) => position)).toEqual([1, 3]));

  test('are none in a batch that holds nothing for it', () =>
    expect(handledBy({ handles, concerns: withText }, log.slice(1, 2))).toEqual([]));

  test('are the batch itself, not a copy, when all of it is', () => {
    const batch = log.slice(0, 3);
    expect(handledBy({ handles }, batch)).toBe(batch);
  });
});
