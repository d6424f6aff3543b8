import { describe, expect, it } from 'vitest';
import { memoryTree } from './source-tree.ts';
import { detectVolumePaths, type VolumeRequest } from './volume-paths.ts';

const found = (files: Record<string, string>, more: Partial<VolumeRequest> = {}) =>
  detectVolumePaths(memoryTree(files), {
    root: '',
    isDjango: false,
    dependencies: [],
    usesDatabase: false,
    ...more,
  }).map(({ path, kind, evidence }) => `${kind} ${path} ${evidence}`);
const inApp = (source: string, more: Partial<VolumeRequest> = {}) =>
  found({ 'app.py': source }, more);

describe('paths that an app writes', () => {
  it.each([
    [`os.makedirs('logs', exist_ok=True)`, 'directory /app/logs app.py:1'],
    [`if not os.path.exists('logs'): os.mkdir('logs')`, 'directory /app/logs app.py:1'],
    [`Path('data').mkdir(exist_ok=True)`, 'directory /app/data app.py:1'],
    [`(Path(__file__).parent / 'data').mkdir()`, 'directory /app/data app.py:1'],
    [`LOGS = Path('logs')\nLOGS.mkdir(parents=True)`, 'directory /app/logs app.py:2'],
    [`h = RotatingFileHandler('logs/x.log', maxBytes=10)`, 'file /app/logs/x.log app.py:1'],
    [`h = logging.FileHandler(filename='x.log')`, 'file /app/x.log app.py:1'],
    [`logging.basicConfig(level=1, filename='x.log')`, 'file /app/x.log app.py:1'],
    [`logger.add("logs/app_1.log", rotation="1 day")`, 'file /app/logs/app_1.log app.py:1'],
    [`app.config['UPLOAD_FOLDER'] = 'static/uploads'`, 'directory /app/static/uploads app.py:1'],
    [`app.config.update(UPLOAD_FOLDER='up')`, 'directory /app/up app.py:1'],
    [`upload_dir: Path = Path("uploads")`, 'directory /app/uploads app.py:1'],
    [`engine = create_engine("sqlite:///./test.db")`, 'file /app/test.db app.py:1'],
    [`URL = f'sqlite+aiosqlite:///{BASE_DIR}/x.db'`, undefined],
    [`URL = 'sqlite:////data/x.db?cache=shared'`, 'file /data/x.db app.py:1'],
    [`db = sqlite3.connect('todo.db')`, 'file /app/todo.db app.py:1'],
    [`db = TinyDB('db.json')`, 'file /app/db.json app.py:1'],
    [`DATABASE = 'flaskr.sqlite'`, 'file /app/flaskr.sqlite app.py:1'],
    [`with open('notes.json', 'w') as f: pass`, 'file /app/notes.json app.py:1'],
    [`url = 'sqlite:///:memory:'`, undefined],
    [`url = 'sqlite://'`, undefined],
    [`open('notes.json')`, undefined],
    [`open('notes.json', 'rb')`, undefined],
    [`os.makedirs(folder)`, undefined],
    [`os.makedirs(f'logs/{day}')`, undefined],
    [`# os.makedirs('logs')`, undefined],
    [`"""os.makedirs('logs')"""`, undefined],
  ])('%s', (source, expected) => expect(inApp(source)[0]).toBe(expected));

  it('knows names that another file sets, whatever the order', () => {
    expect(
      found({
        'app.py': `from config import LOG_DIR\nhandler = FileHandler(os.path.join(LOG_DIR, 'a.log'))`,
        'config.py': `basedir = os.path.abspath(os.path.dirname(__file__))\nLOG_DIR = os.path.join(basedir, 'logs')`,
      }),
    ).toEqual(['file /app/logs/a.log app.py:2']);
  });

  it('reads the handlers of a dictConfig', () => {
    const source = `LOGGING = {
  'handlers': {
    'a': {'class': 'logging.FileHandler', 'filename': BASE_DIR / 'logs' / 'a.log'},
    'b': {'class': 'logging.handlers.RotatingFileHandler', 'filename': 'b.log'},
  },
}`;
    expect(inApp(`BASE_DIR = Path(__file__).parent\n${source}`)).toEqual([
      'file /app/logs/a.log app.py:2',
      'file /app/b.log app.py:2',
    ]);
  });

  it("finds Flask's instance folder, beside the package", () => {
    const source = `app = Flask(__name__, instance_relative_config=True)
app.config.from_mapping(DATABASE=os.path.join(app.instance_path, 'flaskr.sqlite'))
os.makedirs(app.instance_path)`;
    expect(found({ 'src/flaskr/__init__.py': source }, { pathEntry: 'src' })).toEqual([
      'directory /app/src/instance src/flaskr/__init__.py:1',
      'file /app/src/instance/flaskr.sqlite src/flaskr/__init__.py:2',
    ]);
  });

  it('follows Flask-SQLAlchemy into the instance folder, but not for absolute paths', () => {
    const dependencies = ['flask-sqlalchemy'];
    const source = `app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///x.db'`;
    expect(inApp(source, { dependencies })).toEqual(['directory /app/instance app.py:1']);
    const absolute = `basedir = os.path.abspath(os.path.dirname(__file__))
URI = os.environ.get('DATABASE_URL') or 'sqlite:///' + os.path.join(basedir, 'app.db')`;
    expect(inApp(absolute, { dependencies })).toEqual(['file /app/app.db app.py:2']);
  });

  it('leaves SQLite to development where the app gets a database', () => {
    expect(inApp(`URL = 'sqlite:///x.db'`, { usesDatabase: true })).toEqual([]);
  });

  it('counts from the root of the app', () => {
    expect(
      found({ 'web/app.py': `os.makedirs('logs')`, 'app.py': `os.mkdir('x')` }, { root: 'web' }),
    ).toEqual(['directory /app/web/logs web/app.py:1']);
  });

  it('leaves out what no process of the app runs', () => {
    const source = `os.makedirs('logs')`;
    const paths = ['tests/a.py', 'scripts/a.py', 'docs/conf.py', 'setup.py', 'test_a.py'];
    const command = 'shop/management/commands/export.py';
    expect(found(Object.fromEntries([...paths, command].map((path) => [path, source])))).toEqual(
      [],
    );
  });
});
