from django.urls import path

from . import views

urlpatterns = [path("", views.GuestbookView.as_view(), name="guestbook")]
