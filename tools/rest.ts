import { randomUUID } from 'node:crypto';
import { ChatProblem, problemOf } from '../packages/chat-client/src/problem.ts';

export { ChatProblem };

export interface Session {
  url: string;
  userId: string;
  accessToken: string;
  refreshToken: string;
}

interface Call {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/**
 * Makes one REST call, once and as it is, and resolves with the body of a 2xx, of type `T`. Throws `ChatProblem` on any
 * other status.
 */
export async function call<T>(
  url: string,
  method: string,
  path: string,
  { token, body, headers }: Call = {},
) {
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw await problemOf(response);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

export interface Person {
  role: 'company' | 'applicant';
  displayName: string;
  email?: string;
  password?: string;
}

/** Registers an account and logs in. */
export async function signUp(url: string, person: Person): Promise<Session> {
  const { role, displayName, email = `${randomUUID()}@example.test`, password = randomUUID() } = person;
  await call(url, 'POST', '/v1/auth/register', { body: { role, displayName, email, password } });
  return logIn(url, email, password);
}

interface LoggedIn {
  accessToken: string;
  refreshToken: string;
  user: { id: string };
}

export async function logIn(url: string, email: string, password: string): Promise<Session> {
  const { user, accessToken, refreshToken } = await call<LoggedIn>(url, 'POST', '/v1/auth/login', {
    body: { email, password },
  });
  return { url, userId: user.id, accessToken, refreshToken };
}

/** Resolves with the same session with fresh tokens. The old refresh token cannot be used again. */
export async function renew(session: Session): Promise<Session> {
  const { refreshToken, url } = session;
  const fresh = await call<LoggedIn>(url, 'POST', '/v1/auth/refresh', { body: { refreshToken } });
  return { ...session, accessToken: fresh.accessToken, refreshToken: fresh.refreshToken };
}
