import { type KmsServer, startKmsServer } from '../servers/kms-server.ts';

/** Starts a KMS that the AWS SDK of this process finds, until `stop`. */
export async function kmsStage(): Promise<KmsServer> {
  const kms = await startKmsServer();
  Object.assign(process.env, kms.env);
  return {
    ...kms,
    async stop() {
      for (const name of Object.keys(kms.env)) delete process.env[name];
      await kms.stop();
    },
  };
}
