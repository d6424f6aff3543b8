import { describe, expect, it } from 'vitest';
import { detect } from './detect.ts';
import { memoryTree } from './source-tree.ts';

type Files = Record<string, string>;
const FACTORY = 'from flask import Flask\ndef create_app():\n    return Flask(__name__)\n';
const constantsOf = (files: Files, config: Files = {}) =>
  detect(memoryTree({ 'requirements.txt': 'flask\n', ...files }), {
    pythonVersions: ['3.12.1'],
    config,
  }).variables.constants;

describe('FLASK_APP', () => {
  it('is the entry, in the words of the flask command', () => {
    expect(constantsOf({ 'shop/__init__.py': FACTORY })).toEqual({
      FLASK_APP: 'shop:create_app()',
    });
    const app = 'from flask import Flask\nserver = Flask(__name__)\n';
    expect(constantsOf({ 'app.py': app })).toEqual({ FLASK_APP: 'app:server' });
  });

  it.each<[string, Files]>([
    ['.flaskenv', { '.flaskenv': 'export FLASK_APP = shop\n' }],
    ['.env', { '.env': 'A=1\nFLASK_APP=shop\n' }],
  ])('is left to the %s that says it', (_, files) => {
    expect(constantsOf({ 'shop/__init__.py': FACTORY, ...files })).toEqual({});
  });

  it('is left to the user', () => {
    expect(constantsOf({ 'shop/__init__.py': FACTORY }, { FLASK_APP: 'other' })).toEqual({});
    const env = { 'tandem.toml': '[env]\nFLASK_APP = "other"\n' };
    expect(constantsOf({ 'shop/__init__.py': FACTORY, ...env })).toEqual({});
  });

  it('is not needed where flask looks by itself, or without Flask', () => {
    expect(constantsOf({ 'app.py': FACTORY })).toEqual({});
    const starlette = 'from starlette.applications import Starlette\nsite = Starlette()\n';
    const files = { 'web.py': starlette, 'requirements.txt': 'starlette\n' };
    expect(constantsOf(files)).toEqual({});
  });
});
