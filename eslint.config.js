// Types-aware lint and the direction of imports: daemons -> components + adapters -> ports -> domain.
// Components and adapters never import each other; `lib` imports nothing internal.
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

const SOURCE = './packages/platform/src';
const COMPONENTS = ['balancer', 'runner', 'nexus', 'builder', 'services', 'telemetry', 'backup'];
const ADAPTERS = [
  'sqlite-store',
  'crun',
  'process-sandbox',
  'squashfs',
  'zeromq',
  'uv',
  'nginx',
  'npm-registry',
  'stacks',
  'scratch-disk',
  'interpreters',
  'leftovers',
  'installation-registry',
  's6',
  'instance-network',
  'machine',
  'acme',
  'self-signed',
  'dns',
];

const zone = (target, from, message) => ({ target, from, message });

const zones = [
  ...COMPONENTS.map((name) =>
    zone(
      `${SOURCE}/${name}`,
      [...COMPONENTS.filter((other) => other !== name), 'adapters', 'daemons'].map(
        (other) => `${SOURCE}/${other}`,
      ),
      'Components talk through ports or messages.',
    ),
  ),
  ...ADAPTERS.map((name) =>
    zone(
      `${SOURCE}/adapters/${name}`,
      [
        ...ADAPTERS.filter((other) => other !== name).map((other) => `${SOURCE}/adapters/${other}`),
        ...[...COMPONENTS, 'daemons'].map((other) => `${SOURCE}/${other}`),
      ],
      'An adapter imports ports, domain and lib only.',
    ),
  ),
  zone(
    `${SOURCE}/ports`,
    [...COMPONENTS, 'adapters', 'daemons'].map((other) => `${SOURCE}/${other}`),
    'Ports import the domain only.',
  ),
  zone(
    `${SOURCE}/domain`,
    [...COMPONENTS, 'adapters', 'daemons', 'lib', 'ports'].map((other) => `${SOURCE}/${other}`),
    'The domain is pure.',
  ),
  zone(
    `${SOURCE}/lib`,
    [...COMPONENTS, 'adapters', 'daemons', 'ports', 'domain'].map((other) => `${SOURCE}/${other}`),
    'lib imports nothing internal.',
  ),
  zone('./packages/cli', './packages/platform', 'The CLI imports the protocol only.'),
  zone('./packages/protocol', ['./packages/platform', './packages/cli'], 'Nothing internal.'),
];

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', '.tools/', 'examples/', 'coverage/'] },
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: ['*.js', '*.ts', 'packages/cli/*.js'],
        },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { 'import-x': importX },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/require-await': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['**/*.test.ts', '**/*.contract.ts', 'test/**'],
    rules: { 'max-lines-per-function': 'off' },
  },
  {
    files: ['packages/platform/src/**/*.ts'],
    ignores: ['packages/platform/src/daemons/**', '**/*.test.ts', '**/*.contract.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only daemons read the environment.' },
        { object: 'process', property: 'exit', message: 'Only daemons exit.' },
      ],
    },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
