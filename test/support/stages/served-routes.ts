import { httpStage } from './http-stage.ts';

/** Resolves with the route table of the server, without the methods that it refuses and HEAD, which follows GET. */
export async function servedRoutes(): Promise<string[]> {
  const routes: string[] = [];
  const stage = await httpStage({
    onRoute: ({ method, url, schema }) => {
      const methods = [method].flat().filter((each) => each !== 'HEAD');
      if (!schema?.hide || url.startsWith('/docs')) routes.push(...methods.map((each) => `${each} ${url}`));
    },
  });
  await stage.close();
  return [...new Set(routes)].filter((route) => !route.includes('/docs') || route.startsWith('GET '));
}
