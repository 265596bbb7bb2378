"""The storage adapter: peewee on SQLite; nothing outside knows SQLite."""
