from django.db import connection
from django.http import HttpResponse

from .models import Visit


def visit(request):
    Visit.objects.create(agent=request.headers.get("User-Agent", "")[:200])
    text = f"visit number {Visit.objects.count()}, stored in {connection.vendor}\n"
    return HttpResponse(text, content_type="text/plain")


def health(request):
    Visit.objects.exists()
    return HttpResponse("ok\n", content_type="text/plain")
