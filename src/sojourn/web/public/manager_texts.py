"""The words of the page where recipients manage what they get."""

from __future__ import annotations

from datetime import datetime

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Your subscription", "switch": "По-русски", "to": "to", "preview": "This is how recipients see the page. Nothing is changed from here.",
        "subscribed": "You get messages.", "unsubscribed": "You have left this subscription.", "complained": "You have reported these messages; none are sent any more.",
        "hardbounced": "Messages to this contact came back, so none are sent any more.", "unconfirmed": "This subscription waits for your confirmation: use the link in the message that asks for it.",
        "suspended": "Paused.", "suspended_until": "Paused until {day}.", "invalid": "Nothing is sent to this contact.", "everything_left": "You have left everything we send.",
        "categories": "What you would like to get", "data": "About you", "save": "Save", "yes": "Yes", "no": "No", "male": "Male", "female": "Female", "several": "Several are separated by commas.",
        "pause": "Take a break", "pause_text": "Nothing comes meanwhile; afterwards messages come again by themselves.", "days": "{days} days", "pause_button": "Pause",
        "leave": "Unsubscribe", "leave_text": "No more messages of “{resource}” to this contact.", "leave_button": "Unsubscribe",
        "resume": "Get messages again", "resume_text": "Messages of “{resource}” come to this contact again.", "resume_button": "Subscribe again",
        "all": "Leave everything", "all_text": "No more messages from us at all, whatever you are subscribed to.", "all_button": "Leave everything",
        "done_save": "Saved.", "done_pause": "Your break has begun.", "done_leave": "You are unsubscribed.", "done_resume": "Welcome back.", "done_all": "You have left everything.",
        "not_saved": "Not saved: something below does not fit.", "too_often": "Too many changes within a short time. Please try again in a few minutes.",
        "manage": "Choose what you get",
    },
    "ru": {
        "title": "Ваша подписка", "switch": "In English", "to": "на", "preview": "Так страницу видят получатели. Отсюда ничего не меняется.",
        "subscribed": "Вы получаете сообщения.", "unsubscribed": "Вы отписались.", "complained": "Вы пожаловались на эти сообщения; они больше не приходят.",
        "hardbounced": "Сообщения на этот контакт возвращались, поэтому больше не отправляются.", "unconfirmed": "Подписка ждёт подтверждения: перейдите по ссылке из сообщения с просьбой о нём.",
        "suspended": "Приостановлено.", "suspended_until": "Приостановлено до {day}.", "invalid": "На этот контакт ничего не отправляется.", "everything_left": "Вы отписались от всех наших сообщений.",
        "categories": "Что вы хотите получать", "data": "О вас", "save": "Сохранить", "yes": "Да", "no": "Нет", "male": "Мужской", "female": "Женский", "several": "Несколько значений разделяются запятыми.",
        "pause": "Сделать перерыв", "pause_text": "Всё это время сообщений не будет; потом они начнут приходить сами.", "days": "{days} дней", "pause_button": "Приостановить",
        "leave": "Отписаться", "leave_text": "Больше никаких сообщений «{resource}» на этот контакт.", "leave_button": "Отписаться",
        "resume": "Снова получать сообщения", "resume_text": "Сообщения «{resource}» снова будут приходить на этот контакт.", "resume_button": "Подписаться снова",
        "all": "Отписаться от всего", "all_text": "Больше никаких сообщений от нас, на что бы вы ни были подписаны.", "all_button": "Отписаться от всего",
        "done_save": "Сохранено.", "done_pause": "Перерыв начался.", "done_leave": "Вы отписаны.", "done_resume": "С возвращением!", "done_all": "Вы отписаны от всего.",
        "not_saved": "Не сохранено: что-то ниже не подходит.", "too_often": "Слишком много изменений за короткое время. Попробуйте через несколько минут.",
        "manage": "Выбрать, что получать",
    },
}  # fmt: skip

STANDARD_TITLES_RU = {
    "email": "Электронная почта", "phones": "Телефоны", "_fname": "Имя", "_lname": "Фамилия", "_bdate": "Дата рождения", "_sex": "Пол",
    "_regdate": "Дата регистрации", "_regip": "IP при регистрации", "_regcity": "Город при регистрации", "_regcountry": "Страна при регистрации",
    "_regurl": "Ссылка регистрации", "_ip": "IP-адрес", "_city": "Город", "_country": "Страна", "_region": "Регион", "_postal_code": "Почтовый индекс",
    "_tz": "Часовой пояс", "_vendor": "Поставщик", "_is_test": "Тестовый профиль", "_no_tracking": "Не отслеживать открытия и переходы",
}  # fmt: skip

PROBLEMS: dict[str, dict[str, str]] = {
    "en": {"email_taken": "This address belongs to somebody else."},
    "ru": {
        "required_missing": "Это нужно заполнить.", "incorrect_email": "Это не похоже на адрес электронной почты.", "incorrect_phone": "Это не похоже на номер телефона с кодом страны.",
        "email_taken": "Этот адрес принадлежит другому человеку.", "incorrect_date": "Это не дата.", "incorrect_integer": "Нужно целое число.", "incorrect_float": "Нужно число.",
        "too_long": "Слишком длинно.",
    },
}  # fmt: skip
MISFIT = {"en": "This does not fit here.", "ru": "Это значение не подходит."}

_MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "ru": [
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ],
}


def day(moment: datetime, language: str) -> str:
    """A day in words."""
    return f"{moment.day} {_MONTHS[language][moment.month - 1]} {moment.year}"
