from django.core.paginator import Paginator
from django.db import connection
from django.shortcuts import get_object_or_404, redirect, render

from .forms import EntryForm
from .models import Entry

ENTRIES_PER_PAGE = 20


def index(request):
    form = EntryForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("index")
    page = Paginator(Entry.objects.all(), ENTRIES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "database": connection.vendor}
    return render(request, "guestbook/index.html", context)


def detail(request, pk):
    return render(request, "guestbook/detail.html", {"entry": get_object_or_404(Entry, pk=pk)})
