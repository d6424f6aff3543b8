// The question that fs.access answers with an error.
import { stat } from 'node:fs/promises';

/** Whether something is there that we may look at; links are followed. */
export async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
