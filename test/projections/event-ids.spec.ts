import { eventIds } from '../../src/projections/event-ids.ts';
import { jobClosed, jobPosted, uuid } from '../support/language/example-events.ts';
import { stage } from '../support/language/projection.ts';
import { streamOf } from '../support/language/history.ts';

const { open, close, given } = stage(eventIds);
beforeAll(open);
afterAll(close);

test('the index of event ids tells where each event is, whatever it tells of', () =>
  given(jobPosted, jobClosed).then('event_ids', 'id, stream, revision, position', [
    { id: uuid(0xe001), stream: streamOf(jobPosted), revision: 0, position: 1 },
    { id: uuid(0xe002), stream: streamOf(jobPosted), revision: 1, position: 2 },
  ]));
