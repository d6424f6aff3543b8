from django.test import TestCase

from .models import Entry


class GuestbookTest(TestCase):
    def test_shows_what_was_written(self):
        self.client.post("/", {"name": "Ada", "message": "I was here"})
        self.assertContains(self.client.get("/"), "I was here")

    def test_refuses_an_empty_message(self):
        response = self.client.post("/", {"name": "Ada", "message": ""})
        self.assertEqual(response.status_code, 200)
        self.assertEqual(Entry.objects.count(), 0)
