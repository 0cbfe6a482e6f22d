import { FileId } from '../../../../src/events/ids.ts';
import { createInspectionTries } from '../../../../src/adapters/postgres/tables/inspection-tries.ts';
import { createPool } from '../../../../src/adapters/postgres/connection.ts';
import { createTestDatabase } from '../../../support/stages/database.ts';
import { uuid } from '../../../support/language/example-events.ts';
import { linesOf } from '../../../support/log-lines.ts';

const fileId = FileId.parse(uuid(0x6001));

test('The inspection attempts of a file survive their process until they are reset or the file is settled', async () => {
  const database = await createTestDatabase();
  const { log } = linesOf('info');
  const openPool = () => createPool({ url: database.url, max: 2, applicationName: 'test', log });
  const first = openPool();
  const tries = createInspectionTries(first);
  expect(await tries.begin(fileId)).toBe(1);
  expect(await tries.begin(fileId)).toBe(2);
  await first.end();

  const second = openPool();
  const later = createInspectionTries(second);
  expect(await later.begin(fileId)).toBe(3);
  await later.takeBack(fileId);
  expect(await later.begin(fileId)).toBe(3);
  await later.forget(fileId);
  expect(await later.begin(fileId)).toBe(1);
  await second.end();
  await database.drop();
});
