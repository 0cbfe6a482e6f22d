import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type CheckpointStore, CheckpointsDamaged } from '../../../audit/checkpoint-store.ts';
import { Checkpoint, type SealJwk } from '../../../audit/checkpoint.ts';
import { NoProof, type Proofs } from '../../../audit/proofs.ts';
import { ProblemError, badInput, problem } from '../../../protocol/problem.ts';
import { Limit, Position, pageOf } from '../../../protocol/schemas.ts';
import type { HttpApp, RouteDeps } from '../../route-deps.ts';
import { EventPosition } from './parameters.ts';

export interface SealKeyRoutes {
  sealKeys: { list(): Promise<SealJwk[]> };
}
export interface ProofRoutes {
  checkpoints: Pick<CheckpointStore, 'read'>;
  proofs: Proofs;
}

const SealJwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).meta({ id: 'SealKeys' });
const Hash = z.string().describe('SHA-256 in base64url');
const Hex = z.string().describe('SHA-256 in hexadecimal, of the JSON as it is stored');

const CheckpointAnswer = z
  .object({ ...Checkpoint.shape, position: Position })
  .meta({ id: 'Checkpoint', description: 'How to check the signature: docs/audit.md' });
const CheckpointPage = pageOf(CheckpointAnswer).meta({ id: 'CheckpointPage' });

const SealedEvent = z
  .object({
    position: Position,
    stream: z.string(),
    revision: z.int(),
    id: z.string(),
    type: z.string(),
    v: z.int(),
    occurredAt: z.string(),
    recordedAt: z.string().nullable(),
    dataSha256: Hex,
    metadataSha256: Hex,
  })
  .meta({
    id: 'SealedEvent',
    description: 'An event without its contents: the fields that its leaf is made of',
  });
const InclusionProof = z
  .object({
    position: Position,
    index: z.int().describe('Of the leaf in the tree, from 0'),
    size: z.int(),
    leaf: Hash,
    hashes: z.array(Hash),
    event: SealedEvent,
  })
  .meta({ id: 'InclusionProof', description: 'RFC 6962 §2.1.1' });
const ConsistencyProof = z
  .object({ from: z.int(), to: z.int(), hashes: z.array(Hash) })
  .meta({ id: 'ConsistencyProof', description: 'RFC 6962 §2.1.2' });

const digits = (description: string, from: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .pipe(z.int().min(from))
    .meta({
      type: 'integer',
      pattern: undefined,
      minimum: from,
      maximum: Number.MAX_SAFE_INTEGER,
      description,
    });

const tags = ['Audit'];
const PROOF_REFUSALS = ['CHECKPOINT_NOT_FOUND', 'SEAL_BROKEN'] as const;

/** Runs the work, and answers with the problem of a proof that cannot be given. */
async function orProblem<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NoProof) throw new ProblemError(problem(error.code, { detail: error.message }));
    if (error instanceof CheckpointsDamaged)
      throw new ProblemError(
        problem('SEAL_BROKEN', { detail: 'The checkpoints are damaged; verify the log' }),
      );
    throw error;
  }
}

/** Defines the route of the public keys of checkpoints. */
export function sealKeyRoutes(plainApp: FastifyInstance, { sealKeys }: SealKeyRoutes): void {
  plainApp.withTypeProvider<ZodTypeProvider>().get(
    '/.well-known/seal-keys.json',
    {
      schema: {
        tags,
        summary: 'The public keys of the checkpoints of the log',
        operationId: 'sealKeys',
        security: [],
        response: { 200: SealJwks },
      },
    },
    async () => ({ keys: await sealKeys.list() }),
  );
}

/** Defines the routes that prove to an auditor that nothing in the log was changed. */
export function proofRoutes(
  app: HttpApp,
  { checkpoints, proofs, positions }: ProofRoutes & Pick<RouteDeps, 'positions'>,
): void {
  app.get(
    '/v1/audit/checkpoints',
    {
      config: { for: 'auditors', refusals: ['SEAL_BROKEN'] },
      schema: {
        tags,
        summary: 'The signed checkpoints of the log, oldest first',
        operationId: 'listCheckpoints',
        querystring: z.strictObject({
          after: digits(
            'Only checkpoints of more events: the size of the last one known, or nextCursor',
            0,
          ).optional(),
          limit: Limit,
        }),
        response: { 200: CheckpointPage },
      },
    },
    ({ query: { after = 0, limit } }) =>
      orProblem(async () => {
        const found = await checkpoints.read({ after, limit: limit + 1 });
        const data = found.slice(0, limit);
        return { data, nextCursor: found.length > limit ? String(data.at(-1)!.size) : null };
      }),
  );

  app.get(
    '/v1/audit/proof',
    {
      config: { for: 'auditors', refusals: [...PROOF_REFUSALS, 'EVENT_NOT_FOUND', 'NOT_SEALED'] },
      schema: {
        tags,
        summary: 'Proves that the event at a position is among the events of a checkpoint',
        operationId: 'proveInclusion',
        querystring: z.strictObject({
          position: EventPosition.meta({ description: 'Of the event' }),
          size: digits('Of a checkpoint; by default the last one', 1).optional(),
        }),
        response: { 200: InclusionProof },
      },
    },
    ({ query }) =>
      orProblem(async () => {
        const { position, event, ...proof } = await proofs.inclusion({
          ...query,
          position: positions.decode(query.position),
        });
        return {
          ...proof,
          position: String(position),
          event: { ...event, position: String(event.position) },
        };
      }),
  );

  app.get(
    '/v1/audit/consistency',
    {
      config: { for: 'auditors', refusals: [...PROOF_REFUSALS] },
      schema: {
        tags,
        summary: 'Proves that the events of a checkpoint begin with those of an older one',
        operationId: 'proveConsistency',
        querystring: z.strictObject({
          from: digits('The size of the older checkpoint', 1),
          to: digits('The size of the newer checkpoint', 1),
        }),
        response: { 200: ConsistencyProof },
      },
    },
    ({ query: { from, to } }) => {
      if (from > to)
        throw new ProblemError(
          badInput([{ path: ['from'], message: 'must not be more than to' }], 'querystring'),
        );
      return orProblem(() => proofs.consistency({ from, to }));
    },
  );
}
