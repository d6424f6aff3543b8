// Which settings module of Django the containers of a project set, those for production first.
import type { Candidate } from '../settings-module.ts';
import type { ContainerValue } from './compose-file.ts';
import type { Containers } from './containers.ts';

const NAME = 'DJANGO_SETTINGS_MODULE';

export function suggestedSettings({ services, image }: Containers): Candidate[] {
  const usable = services.filter(({ isForDevelopment }) => !isForDevelopment);
  const values: ContainerValue[] = [
    ...usable.flatMap(({ service }) => service.environment.toReversed()),
    ...(image?.isForDevelopment === false ? image.values.toReversed() : []),
  ];
  return values
    .filter(({ name, value, isFixed }) => name === NAME && isFixed && /^\w+(\.\w+)*$/.test(value))
    .map(({ value, evidence }) => ({ name: value, evidence, why: 'set for its container' }));
}
