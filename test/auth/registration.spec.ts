import { EmailTaken } from '../../src/auth/credentials.ts';
import { createRegistration } from '../../src/auth/registration.ts';
import type { HandleCommand } from '../../src/commands/handle-command.ts';
import { EventStoreUnavailable } from '../../src/events/event-store.ts';
import { newId } from '../../src/kit/uuids.ts';
import { type AuthStage, ada, authStage } from '../support/stages/auth-stage.ts';

let stage: AuthStage;
beforeEach(async () => {
  stage = await authStage();
});
afterEach(() => stage.close());

/** A registration whose process dies between storing the credentials and appending the event. */
const cutOff = () =>
  createRegistration({
    ...stage,
    newId,
    handle: async () => {
      throw new EventStoreUnavailable('gone');
    },
  });

describe('Registering', () => {
  test('stores the credentials outside the log, which contains only the account', async () => {
    const { userId, position } = await stage.registration.register(ada);
    const [event, ...others] = await stage.log();
    expect(others).toHaveLength(0);
    expect(event).toMatchObject({
      type: 'AccountRegistered',
      position,
      data: { userId, role: 'applicant', displayName: 'Ada' },
    });
    expect(JSON.stringify(event)).not.toMatch(/example\.org|argon2/);
    expect(await stage.credentials.ofUser(userId)).toMatchObject({ email: ada.email, registered: true });
  });

  test('is refused for a taken address, whatever the password', async () => {
    await stage.registration.register(ada);
    await expect(stage.registration.register(ada)).rejects.toThrow(EmailTaken);
    await expect(stage.registration.register({ ...ada, password: 'another one' })).rejects.toThrow(
      EmailTaken,
    );
    expect(await stage.log()).toHaveLength(1);
  });

  test('makes one account of concurrent requests with the same address', async () => {
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, () => stage.registration.register(ada)),
    );
    const [done, refused] = [
      tries.filter(({ status }) => status === 'fulfilled'),
      tries.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : [])),
    ];
    expect(done).toHaveLength(1);
    expect(refused.filter((reason) => reason instanceof EmailTaken)).toHaveLength(19);
    expect(await stage.log()).toHaveLength(1);
  });
});

test('A second registration during the first is not a repetition of it', async () => {
  let goOn = () => {};
  const held = new Promise<void>((resolve) => (goOn = resolve));
  let told = () => {};
  const telling = new Promise<void>((resolve) => (told = resolve));
  const handle: HandleCommand = async (...command) => {
    told();
    await held;
    return stage.handle(...command);
  };
  const { register } = createRegistration({ ...stage, newId, handle });
  const first = register(ada);
  await telling;
  await expect(register(ada)).rejects.toThrow(EmailTaken);
  goOn();
  await first;
  expect(await stage.log()).toHaveLength(1);
});

describe('A registration that was cut off before its event was appended', () => {
  beforeEach(() => expect(cutOff().register(ada)).rejects.toThrow(EventStoreUnavailable));

  test('is completed at the next start, once', async () => {
    expect(await stage.log()).toHaveLength(0);
    await stage.registration.completeAll();
    await stage.registration.completeAll();
    expect(await stage.log()).toMatchObject([{ type: 'AccountRegistered', data: { displayName: 'Ada' } }]);
    expect(await stage.credentials.unregistered()).toHaveLength(0);
  });

  test('is completed once by the first login, even by concurrent ones', async () => {
    await Promise.all([1, 2, 3].map(() => stage.logIn({ ...ada, address: '192.0.2.1' })));
    expect(await stage.log()).toHaveLength(1);
  });

  test('is completed by a repetition', async () => {
    const [kept] = await stage.credentials.unregistered();
    const { userId } = await stage.registration.register(ada);
    expect(userId).toBe(kept!.userId);
    expect(await stage.log()).toHaveLength(1);
    await expect(stage.registration.register(ada)).rejects.toThrow(EmailTaken);
  });

  test('cannot be repeated by another person', async () => {
    const { register } = stage.registration;
    await expect(register({ ...ada, password: 'a guess of mine' })).rejects.toThrow(EmailTaken);
    await expect(register({ ...ada, role: 'company' })).rejects.toThrow(EmailTaken);
    expect(await stage.log()).toHaveLength(0);
  });

  test('is only marked when its event was appended', async () => {
    await stage.registration.completeAll();
    await stage.pool.query('update credentials set registered = false');
    await stage.registration.completeAll();
    expect(await stage.log()).toHaveLength(1);
    expect(await stage.credentials.unregistered()).toHaveLength(0);
  });
});
