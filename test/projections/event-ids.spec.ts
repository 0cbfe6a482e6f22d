import { eventIds } from '../../src/projections/event-ids.ts';
import { jobClosed, jobPosted, uuid } from '../support/language/example-events.ts';
import { stage } from '../support/language/projection.ts';
import { streamOf } from '../support/language/history.ts';

const { open, close, given } = stage(eventIds);
beforeAll(open);
afterAll(close);

test('The index of event ids locates every event of any type', () =>
  given(jobPosted, jobClosed).then('event_ids', 'id, stream, revision, position', [
    { id: uuid(0xe001), stream: streamOf(jobPosted), revision: 0, position: 1 },
    { id: uuid(0xe002), stream: streamOf(jobPosted), revision: 1, position: 2 },
  ]));
