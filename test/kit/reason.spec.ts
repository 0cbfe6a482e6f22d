import { reasonOf } from '../../src/kit/reason.ts';

describe('the reason of a failure', () => {
  test.each([
    ['an error', new Error('out of reach'), 'out of reach'],
    ['a text', 'out of reach', 'out of reach'],
    ['an object that is no error', { message: 'out of reach', queue: 'mail' }, 'out of reach'],
    ['an error in place of a message', { message: new Error('out of reach') }, 'out of reach'],
    ['an object without words', { queue: 'mail' }, 'an unknown error'],
    ['an error with a code only', Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [
      'several errors without a message of their own',
      new AggregateError([new Error('connect ::1'), new Error('connect 127.0.0.1')], ''),
      'connect ::1; connect 127.0.0.1',
    ],
    ['nothing', undefined, 'an unknown error'],
  ])('is told in words for %s', (_what, error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });
});
