from django.http import JsonResponse

from .models import Note


def notes(request):
    if request.method == "POST":
        Note.objects.create(text=request.body.decode())
    return JsonResponse({"notes": list(Note.objects.order_by("id").values_list("text", flat=True))})


def health(request):
    return JsonResponse({"notes": Note.objects.count()})


notes.csrf_exempt = True
