from django.db import connection
from django.urls import reverse_lazy
from django.views.generic import CreateView

from .models import Entry

SHOWN_MAX = 50


class GuestbookView(CreateView):
    """The newest entries, and a form for the next one."""

    model = Entry
    fields = ["name", "message"]
    template_name = "entries/guestbook.html"
    success_url = reverse_lazy("guestbook")

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            entries=Entry.objects.all()[:SHOWN_MAX], database=connection.vendor, **kwargs
        )
