import { type TcpProxy, startTcpProxy } from '../../tools/tcp-proxy.ts';
import type { ClusterNode, Kind } from './node.ts';

type Store = 'postgres' | 'redis' | 'rabbitmq';
/** A way on which a fault can be made: from the nodes of one kind to what they use, or from the balancer to nodes. */
export type Edge = `${Kind}->${Store}` | 'nginx->api';

/** The ways between the parts of a cluster; those of `edges` lead through proxies, each node's through one of its own. */
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
    /** The URL by which one more node of this kind finds a store. */
    async from(kind: Kind, store: Store): Promise<string> {
      const url = new URL(urls[store]);
      url.port = String(await proxyOn(`${kind}->${store}`, Number(url.port)));
      return url.href;
    },
    /** The port at which the balancer finds a node. */
    towards: (node: ClusterNode) => proxyOn('nginx->api', node.port),
    /** Throws when the edge was not asked for. */
    proxies(edge: Edge): readonly TcpProxy[] {
      const proxies = open.get(edge);
      if (!proxies) throw new Error(`no proxies were asked for on ${edge}`);
      return proxies;
    },
    async close(): Promise<void> {
      await Promise.all([...open.values()].flat().map((proxy) => proxy.close()));
    },
  };
}
