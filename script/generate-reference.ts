// Writes docs/reference: `npm run docs:reference`.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderReference } from './reference.ts';

const directory = join(import.meta.dirname, '../docs/reference');
for (const [name, text] of await renderReference()) await writeFile(join(directory, name), text);
