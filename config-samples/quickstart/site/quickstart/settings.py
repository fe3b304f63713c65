"""The database is the one Slipway resolved: named in QUICKSTART_* for SQLite, in libpq's variables for PostgreSQL."""
import os

SECRET_KEY = os.environ.get("SECRET_KEY", "a quick start has no secrets")
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "quickstart.urls"
INSTALLED_APPS = ["visits"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

if os.environ["QUICKSTART_BACKEND"] == "sqlite":
    DATABASES = {
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["QUICKSTART_DATABASE"]}
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "PASSWORD": os.environ["PGPASSWORD"],
            "CONN_MAX_AGE": 60,
        }
    }
