"""Where Flask-SQLAlchemy keeps its databases."""

import unittest

from tandem_runtime.data_paths import flask_data_files, sqlite_path


class Application:
    def __init__(self, **config):
        self.config = config


class FlaskDataFilesTest(unittest.TestCase):
    def test_names_the_files_of_every_database(self):
        application = Application(
            SQLALCHEMY_DATABASE_URI="sqlite:////tmp/shop.db?timeout=5",
            SQLALCHEMY_BINDS={"log": "sqlite+pysqlite:////srv/../srv/log.db", "main": "postgresql:///x"},
        )
        self.assertEqual(
            flask_data_files(application),
            [
                {"path": "/tmp/shop.db", "what": "the SQLite database SQLALCHEMY_DATABASE_URI"},
                {"path": "/srv/log.db", "what": "the SQLite database log"},
            ],
        )

    def test_finds_none_elsewhere(self):
        self.assertEqual(flask_data_files(object()), [])
        self.assertEqual(flask_data_files(Application()), [])
        for url in (None, "", "sqlite://", "sqlite:///:memory:", "sqlite:///shop.db", "postgresql://a@b/c", 7):
            self.assertIsNone(sqlite_path(url), url)


if __name__ == "__main__":
    unittest.main()
