import { toProblem } from '../../src/protocol/problem.ts';

const fault = (code: string) => Object.assign(new Error('a fault'), { code });

describe('the problem for an error', () => {
  test.each([
    ['08006', 'connection failure'],
    ['40001', 'serialization failure'],
    ['40P01', 'deadlock'],
    ['25006', 'read-only transaction'],
    ['53300', 'too many connections'],
    ['58030', 'I/O error'],
    ['54000', 'program limit exceeded'],
    ['55P03', 'lock not available'],
    ['57014', 'query canceled'],
    ['57P01', 'admin shutdown'],
  ])('is retryable for PostgreSQL %s (%s), however deep it is wrapped', (code) => {
    const wrapped = new Error('outer', { cause: new Error('inner', { cause: fault(code) }) });
    for (const error of [fault(code), wrapped])
      expect(toProblem(error)).toMatchObject({
        status: 503,
        code: 'UNAVAILABLE',
        retryable: true,
        retryAfterSeconds: 1,
      });
  });

  test.each([
    'timeout exceeded when trying to connect',
    'Query read timeout',
    'timeout expired',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'Client has encountered a connection error and is not queryable',
  ])('is retryable for the driver error "%s"', (message) => {
    expect(toProblem(new Error(message))).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
  });

  test('blames the client when PostgreSQL cannot store the data', () => {
    expect(toProblem(fault('22P05'))).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
  });

  test.each(['23505', '42601', 'XX000'])('is internal for anything else, such as %s', (code) => {
    expect(toProblem(fault(code))).toMatchObject({ status: 500, code: 'INTERNAL', retryable: false });
  });
});
