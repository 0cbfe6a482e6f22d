import { expireMonth, firstKept } from '../../../src/commands/retention/expire-month.ts';
import { ada, event, groupId } from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const month = '2020-01';
const expired = event('MonthExpired', { groupId, month });
const expiring = { groupId, month, retentionMonths: 24 };

describe('the retention of a month', () => {
  test('ends once the month has been over for that long', () =>
    given().as('system').when(expireMonth, expiring).then([expired]));

  test('does not end before', () =>
    given()
      .as('system')
      .when(expireMonth, { ...expiring, month: '2999-01' })
      .thenNothing());

  test('ends once', () => given(expired).as('system').when(expireMonth, expiring).thenNothing());

  test('is not for users', () => given().as(ada).when(expireMonth, expiring).thenRejects('ROLE_NOT_ALLOWED'));

  test.each([
    ['2026-11-30T23:59:59.999Z', 1, '2026-10'],
    ['2026-12-01T00:00:00.000Z', 1, '2026-11'],
    ['2026-03-31T12:00:00.000Z', 1, '2026-02'],
    ['2026-01-15T12:00:00.000Z', 24, '2024-01'],
  ])('at %s, %i months keep all from %s on', (now, months, kept) =>
    expect(firstKept(new Date(now), months)).toBe(kept),
  );
});
