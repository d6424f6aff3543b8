// Which app a command is about: -a, else TANDEM_APP, else the link of the folder, else (for a
// deploy) the folder's name made valid.
import { basename, resolve } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { findLink, readLink } from './link-file.ts';

export interface AppChoice {
  readonly app: string;
  readonly from: 'option' | 'environment' | 'link' | 'folder name';
}

export interface ChoiceInputs {
  readonly option: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
}

const NAME_LENGTH_MAX = 40;

export async function chooseApp(inputs: ChoiceInputs): Promise<AppChoice> {
  const named = namedApp(inputs);
  if (named) return named;
  const link = await findLink(resolve(inputs.folder));
  if (link) return { app: link.app, from: 'link' };
  throw new TandemError(
    'APP_NOT_CHOSEN',
    'Which app? None was named, and the folder has no link.',
    {
      where: inputs.folder,
      hint: 'Add -a NAME (names: tandem apps), or set TANDEM_APP.',
    },
  );
}

export async function chooseAppToDeploy(inputs: ChoiceInputs): Promise<AppChoice> {
  const named = namedApp(inputs);
  if (named) return named;
  const folder = resolve(inputs.folder);
  const link = await readLink(folder);
  if (link) return { app: link.app, from: 'link' };
  return { app: nameFromFolder(folder), from: 'folder name' };
}

function namedApp({ option, env }: ChoiceInputs): AppChoice | undefined {
  if (option !== undefined) return { app: option, from: 'option' };
  const variable = env['TANDEM_APP'];
  return variable ? { app: variable, from: 'environment' } : undefined;
}

/** `My_Site (2)` -> `my-site-2`: a DNS label. */
export function nameFromFolder(folder: string): string {
  const label = basename(folder)
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[\u0300-\u036f]/g, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, NAME_LENGTH_MAX)
    .replace(/-$/, '');
  if (label === '') return 'app';
  return /^[0-9]+$/.test(label) ? `app-${label}` : label;
}
