import type { AccessTokens } from '../tokens/access-tokens.ts';
import type { CheckAssertion } from './client-assertions.ts';
import { SCOPES, type Scope, scopesIn } from './scopes.ts';
import {
  ClientId,
  type ClientStore,
  type ServiceClient,
  TokenRefused,
  storedHash,
} from './service-client.ts';

/** How a client proves who it is. `audiences` are the names of this server that an assertion may have. */
export type ClientProof =
  { clientId: string; secret: string } | { assertion: string; audiences: readonly string[] };

/** A token of a client, as RFC 6749 §5.1 names its parts. */
export interface ClientToken {
  accessToken: string;
  expiresIn: number;
  scopes: readonly Scope[];
}

export interface Clients {
  /** Resolves with the client that the proof is of. Throws `TokenRefused`. */
  authenticate(proof: ClientProof): Promise<ServiceClient>;
  /** Issues a token with the scopes asked for, or with all. Throws `TokenRefused` for one that the client lacks. */
  issue(client: ServiceClient, scope: string | undefined, issuer?: string): Promise<ClientToken>;
}

export function createClients({
  store,
  checkAssertion,
  accessTokens,
}: {
  store: Pick<ClientStore, 'ofSecret'>;
  checkAssertion: CheckAssertion;
  accessTokens: Pick<AccessTokens, 'issueToClient'>;
}): Clients {
  return {
    async authenticate(proof) {
      if ('assertion' in proof) return checkAssertion(proof.assertion, proof.audiences);
      const clientId = ClientId.safeParse(proof.clientId).data;
      const client = clientId && (await store.ofSecret(clientId, storedHash(proof.secret)));
      if (!client) throw new TokenRefused('INVALID_CLIENT', 'The client or its secret is not known here');
      return client;
    },
    async issue(client, scope, issuer) {
      const asked = scope === undefined ? client.scopes : scopesIn(scope);
      const lacks = asked?.find((each) => !client.scopes.includes(each));
      if (!asked || lacks)
        throw new TokenRefused('INVALID_SCOPE', `The client may have ${client.scopes.join(' ')} only`);
      const scopes = SCOPES.filter((each) => asked.includes(each));
      const { accessToken, expiresIn } = await accessTokens.issueToClient({ ...client, scopes }, issuer);
      return { accessToken, expiresIn, scopes };
    },
  };
}
