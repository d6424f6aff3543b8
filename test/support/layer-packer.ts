// One more process with the image store of a test: `DIRECTORY pack TREE` or `DIRECTORY mount SHA256`.
import { join } from 'node:path';
import { createSquashfsImageStore } from '../../packages/platform/src/adapters/squashfs/squashfs-image-store.ts';

const [directory = '', what, argument = ''] = process.argv.slice(2);
const store = createSquashfsImageStore({
  files: join(directory, 'files'),
  mounts: join(directory, 'mounts'),
});
process.stdout.write('begin\n');
await (what === 'pack' ? store.pack(argument) : store.mount(argument));
