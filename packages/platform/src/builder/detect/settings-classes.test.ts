import { expect, it } from 'vitest';
import { settingsFields } from './settings-classes.ts';
import { memoryTree } from './source-tree.ts';

const needed = (text: string) =>
  settingsFields(memoryTree({ 'config.py': text }), ['config.py'])
    .filter(({ required }) => required)
    .map(({ name }) => name);

it('needs what has no default', () => {
  const text = `class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env")
    API_V1_STR: str = "/api"
    secret_key: str = secrets.token_urlsafe(32)
    project_name: str
    sentry: HttpUrl | None = None
    dsn: Optional[str]
    port: int = Field(8000)
    token: str = Field(...)
    key: str = Field(min_length=3)
    kind: ClassVar[str]

    @computed_field
    def url(self) -> str:
        return self.project_name
other: int
`;
  expect(needed(text)).toEqual(['PROJECT_NAME', 'TOKEN', 'KEY']);
});

it('knows prefixes, names of their own and subclasses', () => {
  const text = `class Base(pydantic.BaseSettings):
    class Config:
        env_prefix = "shop_"
    db_host: str
    url: str = Field(..., env="SHOP_ADDRESS")

class Production(Base):
    key: str
`;
  expect(needed(text)).toEqual(['SHOP_DB_HOST', 'SHOP_ADDRESS', 'KEY']);
});

it('is not any class', () => {
  expect(needed('class Settings:\n    a: str\nclass B(BaseModel):\n    b: str')).toEqual([]);
});
