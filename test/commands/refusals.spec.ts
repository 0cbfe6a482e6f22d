import { postJob } from '../../src/commands/job/post-job.ts';
import { sendMessage } from '../../src/commands/message/send-message.ts';
import { commands } from '../support/language/command-stage.ts';
import {
  ada,
  clientMsgId,
  group,
  groupId,
  jobId,
  posting,
  uuid,
} from '../support/language/example-events.ts';
import { given } from '../support/language/given.ts';

const request = { actor: ada, correlationId: uuid(0xc0) };

describe('a refusal that the command does not declare', () => {
  const command = { ...postJob, refuses: [] };
  const job = postJob.input.parse({ jobId, groupId, ...posting });

  test('fails the spec that expects it', () =>
    expect(() => given().as(ada).when(command, job).thenRejects('ROLE_NOT_ALLOWED')).toThrow(
      'PostJob refuses with ROLE_NOT_ALLOWED, which it does not declare',
    ));

  test('fails every test that uses the real handler', async () => {
    const { handle } = await commands();
    await expect(handle(command, job, request)).rejects.toThrow('does not declare');
    await expect(handle(postJob, job, request)).rejects.toMatchObject({ code: 'ROLE_NOT_ALLOWED' });
  });
});

test('A command declares the refusals of its handler', async () => {
  const { handle } = await commands({ history: group });
  const message = (text: string) => sendMessage.input.parse({ groupId, clientMsgId, text });
  await handle(sendMessage, message('Hello'), request);
  await expect(handle(sendMessage, message('Another'), request)).rejects.toMatchObject({
    code: 'CLIENT_MSG_ID_REUSED',
  });
});
