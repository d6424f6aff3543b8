// Run by a test: a balancer with a process, and so a memory, of its own. Prints its port; at each
// SIGUSR2, what it holds.
import { TestBalancer } from './balancer-server.ts';
import { resourcesNow } from './resources.ts';

const [appPort = '', connectionsMax = ''] = process.argv.slice(2);
const balancer = new TestBalancer({ limits: { connectionsMax: Number(connectionsMax) } });
await balancer.listen();
balancer.to([{ instanceId: 'idle', address: '127.0.0.1', port: Number(appPort) }]);
console.log(balancer.port);
process.on('SIGUSR2', () => {
  const { sockets, bytes } = resourcesNow();
  console.log(JSON.stringify({ sockets, bytes, residentBytes: process.memoryUsage.rss() }));
});
