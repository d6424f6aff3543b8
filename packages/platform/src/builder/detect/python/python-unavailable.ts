// No interpreter fits. What was asked for travels with the error, so that one can be fetched.
import { TandemError } from '@tandem/protocol';
import type { PythonWish } from './python-wishes.ts';

export class PythonUnavailable extends TandemError {
  /** As the project writes it: `3.14`, `^3.14`, `>=3.14,<3.15`. */
  readonly specifier: string | undefined;

  constructor(wish: PythonWish | undefined, available: readonly string[]) {
    const message = wish
      ? `The project asks for Python ${wish.specifier}; none available fits.`
      : 'No Python interpreter is available.';
    super('PYTHON_UNAVAILABLE', message, {
      where: wish?.evidence,
      hint: `available: ${available.join(', ') || 'none'}\nchoose one in tandem.toml: python = "3.12"`,
    });
    this.specifier = wish?.specifier;
  }
}
