"""`/imports/files` and `/imports/preview`: files taken into the store, and what they hold, before anything is imported."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from sojourn.kernel.errors import SojournError
from sojourn.kernel.files import FileStore
from sojourn.profiles import database
from sojourn.profiles.import_arguments import ColumnTarget, FileArgument, ImportOptions, ReadingArguments
from sojourn.profiles.opening_files import Format, Named, format_of, open_files
from sojourn.profiles.past_imports import UPLOAD, earlier_import
from sojourn.profiles.preview import ColumnPreview, Preview, preview
from sojourn.profiles.tasks import digest_of
from sojourn.web.api.call import Call, Changing

router = APIRouter(tags=["profiles"])
CHUNK = 1 << 20
_LARGEST_TEXT = 5 << 20
_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "text": {"type": "string", "description": "Rows out of the clipboard instead of a file; the first line names the columns."},
    },
}  # fmt: skip


class EarlierImportShape(BaseModel):
    """An earlier import of the same content."""

    task: int
    at: datetime
    by: str | None


class UploadedFile(BaseModel):
    """A file in the store, by its key; it is kept for a day."""

    key: str
    name: str
    size: int
    format: Format
    earlier: EarlierImportShape | None


class ImportPreviewRequest(BaseModel):
    """Which files to look into, and how. Without `options.mapping` the targets of the columns are guessed."""

    database: int
    files: Annotated[list[FileArgument], Field(min_length=1, max_length=100)]
    reading: ReadingArguments = ReadingArguments()
    options: ImportOptions = ImportOptions()


class ProblemExample(BaseModel):
    """A cell that would be refused."""

    line: int
    text: str


class ColumnProblemShape(BaseModel):
    """Cells that would be refused for one reason."""

    reason: str
    count: int
    examples: list[ProblemExample]


class ColumnPreviewShape(BaseModel):
    """A column: where it goes and why, what it holds, what of it would be refused."""

    name: str
    target: ColumnTarget | None
    confidence: Literal["high", "medium", "low"] | None
    because: Literal["name", "title", "synonym", "content", "given"] | None
    samples: list[str]
    filled: int
    different: int
    ambiguous_date: bool
    refused: int
    problems: list[ColumnProblemShape]


class UnreadRow(BaseModel):
    """A row that cannot be read at all."""

    line: int
    reason: str


class ImportPreviewShape(BaseModel):
    """The beginning of files. `looked_at`: rows that guesses and problems come from; `whole`: these are all."""

    format: Literal["csv", "json", "workbook"]
    encoding: str | None
    delimiter: str | None
    quote: str | None
    sheets: list[str]
    sheet: str | None
    header: list[str]
    rows: list[list[str]]
    columns: list[ColumnPreviewShape]
    looked_at: int
    whole: bool
    unread: list[UnreadRow]


@router.post(
    "/imports/files",
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
)
async def upload_import_file(request: Request, call: Changing) -> UploadedFile:
    """Upload a file to be looked into and imported."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise SojournError("bad_form", "The file comes as multipart/form-data.", "file")
    async with request.form(max_files=1, max_fields=2, max_part_size=_LARGEST_TEXT) as form:
        return await run_in_threadpool(_take, call, form)


def _take(call: Call, form: FormData) -> UploadedFile:
    store = FileStore.of(call.settings)
    name, pieces = _content(form)
    key = store.save(pieces, call.settings.upload_limit << 20, UPLOAD)
    try:
        path = store.path(key)
        if not path.stat().st_size:
            raise SojournError("empty_file", "The file is empty.", "file")
        kind, digest = format_of(path), digest_of(path)
        with call.connection() as connection:
            earlier = earlier_import(connection, digest)
        shape = EarlierImportShape.model_validate(earlier, from_attributes=True) if earlier else None
        return UploadedFile(key=key, name=name, size=path.stat().st_size, format=kind, earlier=shape)
    except BaseException:
        store.delete(key)
        raise


def _content(form: FormData) -> tuple[str, Iterator[bytes]]:
    file, text = form.get("file"), form.get("text")
    if isinstance(file, UploadFile):
        return file_name(file), iter(lambda: file.file.read(CHUNK), b"")
    if isinstance(text, str) and text.strip():
        return "", iter([text.encode(errors="replace")])
    raise SojournError("no_file", "The form has no file.", "file")


def file_name(file: UploadFile) -> str:
    """The name of an uploaded file as it may be shown and kept."""
    return (file.filename or "file").replace("\x00", "").encode(errors="replace").decode()[:200]


@router.post("/imports/preview")
def preview_import(given: ImportPreviewRequest, call: Changing) -> ImportPreviewShape:
    """Look into the beginning of files: first rows, guessed targets of the columns, and what would be refused."""
    store = FileStore.of(call.settings)
    files = [Named(store.path(file.key), file.name) for file in given.files]
    with call.connection() as connection:
        base = database(connection, given.database)
    reader = open_files(files, given.reading)
    try:
        return _shape(preview(reader, base, given.options.options(None)), given.reading)
    finally:
        reader.close()


def _shape(found: Preview, how: ReadingArguments) -> ImportPreviewShape:
    return ImportPreviewShape.model_validate(
        {
            "format": found.format,
            "encoding": found.encoding,
            "delimiter": found.delimiter,
            "quote": how.quote if found.format == "csv" else None,
            "sheets": found.sheets,
            "sheet": found.sheet,
            "header": found.header,
            "rows": found.rows,
            "columns": [_column(column) for column in found.columns],
            "looked_at": found.looked_at,
            "whole": found.whole,
            "unread": [{"line": row.line, "reason": row.reason} for row in found.unread],
        }
    )


def _column(found: ColumnPreview) -> dict[str, Any]:
    target = found.target
    names = ("name", "confidence", "because", "samples", "filled", "different", "ambiguous_date", "refused")
    return {name: getattr(found, name) for name in names} | {
        "target": None if target is None else {name: getattr(target, name) for name in ColumnTarget.model_fields},
        "problems": [
            {
                "reason": problem.reason,
                "count": problem.count,
                "examples": [{"line": line, "text": text} for line, text in problem.examples],
            }
            for problem in found.problems
        ],
    }
