import { describe, expect, it } from 'vitest';
import { environmentReads } from './environment-reads.ts';
import { memoryTree } from './source-tree.ts';

const readsOf = (text: string) =>
  environmentReads(memoryTree({ 'settings.py': text }), ['settings.py']);
const required = (text: string) =>
  readsOf(text)
    .filter((read) => read.required)
    .map(({ name }) => name);

describe('what cannot be missing', () => {
  it.each([
    ['a subscript', 'KEY = os.environ["KEY"]'],
    ['environ imported by name', "from os import environ\nKEY = environ['KEY']"],
    ['django-environ', 'KEY = env("KEY")'],
    ['a cast of django-environ', 'KEY = env.list("KEY")'],
    ['decouple', "KEY = config('KEY', cast=bool)"],
    ['a reader of the project', 'KEY = get_env_variable("KEY")'],
    ['within a dict', 'X = {\n  "a": 1,\n  "key": os.environ["KEY"],\n}'],
    ['a value that is used at once', 'KEY = os.environ.get("KEY").split(" ")'],
    ['a number', 'KEY = int(os.getenv("KEY"))'],
    ['the body of a class', 'class Config:\n    KEY = os.environ["KEY"]'],
  ])('%s', (_what, text) => {
    expect(required(text)).toEqual(['KEY']);
  });
});

describe('what can', () => {
  it.each([
    ['get', 'KEY = os.environ.get("KEY")'],
    ['getenv', 'KEY = os.getenv("KEY", "x")'],
    ['a default that is used at once', 'KEY = os.environ.get("KEY", "a b").split(" ")'],
    ['a number with a default', 'KEY = int(os.getenv("KEY", 1))'],
    ['a default by name', 'KEY = env("KEY", default="")'],
    ['a default of decouple by place', "KEY = config('KEY', 'x')"],
    ['a default of a cast', 'KEY = env.bool("KEY", False)'],
    ['a schema', 'env = environ.Env(KEY=(bool, False))\nKEY = env("KEY")'],
    ['a question before it', 'if "KEY" in os.environ:\n    KEY = os.environ["KEY"]'],
    ['a question on the line', 'KEY = os.environ["KEY"] if PRODUCTION else ""'],
    ['try', 'try:\n    KEY = os.environ["KEY"]\nexcept KeyError:\n    KEY = ""'],
    ['a function', 'def key():\n    return os.environ["KEY"]'],
    ['setting it', 'os.environ["KEY"] = "x"'],
    ['a comment', '# KEY = os.environ["KEY"]'],
    ['a text', 'HELP = "os.environ[KEY]"'],
  ])('%s', (_what, text) => {
    expect(required(text)).toEqual([]);
  });
});

it('reads the factory that is called, and no function in it', () => {
  const text = `def create_app(name=None):
    if name is None:
        name = os.getenv("FLASK_CONFIG", "development")
    app.secret_key = os.environ["KEY"]
    def index():
        return os.environ["INDEX"]
def other():
    os.environ["OTHER"]
class Shop:
    def create_app(self):
        os.environ["SHOP"]
`;
  const reads = environmentReads(memoryTree({ 'app.py': text }), ['app.py'], 'create_app');
  expect(reads).toMatchObject([
    { name: 'FLASK_CONFIG', required: false, evidence: 'app.py:3' },
    { name: 'KEY', required: true },
  ]);
});

it('knows what a value is for', () => {
  const text = `DATABASES = {
    "default": {"NAME": env("MY_DB"), "HOST": os.environ.get("MY_HOST", "localhost")},
}
SECRET = env("S")
`;
  expect(readsOf(text)).toMatchObject([
    { name: 'MY_HOST', target: 'HOST', setting: 'DATABASES', evidence: 'settings.py:1' },
    { name: 'MY_DB', target: 'NAME', setting: 'DATABASES' },
    { name: 'S', target: 'SECRET', setting: 'SECRET', required: true },
  ]);
});

it('keeps the cast', () => {
  expect(readsOf('A = env.db("A")\nB = config("B", cast=Csv())')).toMatchObject([
    { cast: 'db' },
    { cast: 'csv' },
  ]);
});
