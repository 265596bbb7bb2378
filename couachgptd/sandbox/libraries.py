"""The libraries that the worker reads documents with: it alone imports them, if a job needs one."""

# By the names they are imported by, those that they need in turn among them.
NAMES = ("pypdf", "docx", "lxml", "openpyxl", "et_xmlfile", "typing_extensions")
