import { readFile } from 'node:fs/promises';
import { INVITATION_DAYS, MAX_OPEN } from '../../src/commands/company/invitations.ts';
import { companyRights, reachOf } from '../../src/commands/company/rights.ts';
import { CompanyRole } from '../../src/events/company.ts';
import { PER_HOUR } from '../../src/protocol/rate-limits.ts';

const document = readFile(new URL('../../docs/teams.md', import.meta.url), 'utf8');

test('docs/teams.md shows the rights that are enforced', async () => {
  const [, section = ''] = (await document).split('## Roles\n');
  const [heading = [], , ...rows] = section
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  expect(heading.slice(2)).toEqual(CompanyRole.options);
  expect(rows.map(([right, , ...reaches]) => [right, ...reaches])).toEqual(
    companyRights.map((right) => [
      `\`${right}\``,
      ...CompanyRole.options.map((role) => reachOf(right, role)),
    ]),
  );
});

test('docs/teams.md says the limits of invitations that are kept', async () => {
  const text = (await document).replaceAll(/\s+/g, ' ');
  expect(PER_HOUR['invitation-letters']).toBe(3);
  expect(text).toContain(`It is open for ${INVITATION_DAYS} days`);
  expect(text).toContain(`An owner sends ${PER_HOUR.invitations} invitations an hour`);
  expect(text).toContain('three letters of the kind an hour');
  expect(text).toContain(`a company has ${MAX_OPEN} open invitations`);
});
