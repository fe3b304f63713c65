from django.db import models


class Note(models.Model):
    text = models.TextField()
    starred = models.BooleanField(default=False)
