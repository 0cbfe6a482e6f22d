import { type TcpProxy, startTcpProxy } from '../../tools/tcp-proxy.ts';
import type { ClusterNode, Kind } from './node.ts';

type Store = 'postgres' | 'redis' | 'rabbitmq';
/** A connection that can be cut: from the nodes of one kind to a store, or from the balancer to nodes. */
export type Edge = `${Kind}->${Store}` | 'nginx->api';

/**
 * The connections between the parts of a cluster. Those in `edges` lead through proxies, one for each node.
 */
export function openEdges(edges: readonly Edge[], urls: Record<Store, string>) {
  const open = new Map<Edge, TcpProxy[]>(edges.map((edge) => [edge, []]));

  async function proxyOn(edge: Edge, port: number): Promise<number> {
    const proxies = open.get(edge);
    if (!proxies) return port;
    const proxy = await startTcpProxy({ to: port });
    proxies.push(proxy);
    return proxy.port;
  }

  return {
    /** Returns the URL of a store for one more node of this kind. */
    async from(kind: Kind, store: Store): Promise<string> {
      const url = new URL(urls[store]);
      url.port = String(await proxyOn(`${kind}->${store}`, Number(url.port)));
      return url.href;
    },
    /** Returns the port at which the balancer reaches a node. */
    towards: (node: ClusterNode) => proxyOn('nginx->api', node.port),
    /** Returns the proxies of an edge. Throws when the edge was not requested. */
    proxies(edge: Edge): readonly TcpProxy[] {
      const proxies = open.get(edge);
      if (!proxies) throw new Error(`no proxies were requested on ${edge}`);
      return proxies;
    },
    async close(): Promise<void> {
      await Promise.all([...open.values()].flat().map((proxy) => proxy.close()));
    },
  };
}
