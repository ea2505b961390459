/** Titles and explanations of the built-in node types' settings; the English text is the key. A plug-in's texts pass through as they are. */
export const settingsRu: Record<string, string> = {
  'Subscription resource': 'Ресурс подписки',
  'Only its subscribers receive the message.': 'Сообщение получат только его подписчики.',
  Template: 'Шаблон',
  'Confirmation letter': 'Письмо-подтверждение',
  'Also reaches unconfirmed contacts, and carries the link that confirms the subscription.':
    'Доходит и до неподтверждённых контактов и содержит ссылку, которая подтверждает подписку.',
  'Wait for': 'Ждать',
  'Waiting time': 'Время ожидания',
  'Time between the event and the first step.': 'Время между событием и первым шагом.',
  'Profiles that match these rules go to Yes': 'Профили, подходящие под правила, идут по «Да»',
  Changes: 'Изменения',
  Field: 'Поле',
  Operation: 'Действие',
  Value: 'Значение',
  'Promo code pool': 'Набор промокодов',
  Method: 'Метод',
  Address: 'Адрес',
  Headers: 'Заголовки',
  Body: 'Тело',
  'Type of the body': 'Тип тела',
  'Time-out': 'Тайм-аут',
  'Seconds for one attempt.': 'Секунд на одну попытку.',
  Attempts: 'Попытки',
  'At most so many calls when the other side cannot be reached or is overloaded.':
    'Не больше стольких вызовов, если другая сторона недоступна или перегружена.',
  'Give up after': 'Прекратить через',
  'Repeat when in doubt': 'Повторять при сомнении',
  'After a crash nobody may know whether the call arrived: call again, or hold it.':
    'После сбоя может быть неизвестно, дошёл ли вызов: вызвать снова или придержать.',
  'Keep from the answer': 'Сохранить из ответа',
  'Name and JSONPath.': 'Имя и JSONPath.',
}
