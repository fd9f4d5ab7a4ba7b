"""`/contacts`: the address book, tags, and what an address can receive."""

from typing import Any

from sandbox.blooio.calls import Answer, Call, Routes
from sandbox.blooio.errors import ApiError
from sandbox.blooio.model import Contact
from sandbox.blooio.records import Records, new_id, read_address
from sandbox.blooio.rendering import contact_json, kind_of, ms, pagination
from sandbox.changes import Changes


class ContactsApi:
    """The endpoints of the address book."""

    def __init__(self, records: Records, changes: Changes) -> None:
        self._records = records
        self._changes = changes

    @property
    def routes(self) -> Routes:
        return {
            "GET /contacts": self.contacts,
            "POST /contacts": self.create,
            "GET /contacts/{contact}": self.get,
            "PATCH /contacts/{contact}": self.rename,
            "DELETE /contacts/{contact}": self.delete,
            "GET /contacts/{contact}/capabilities": self.capabilities,
            "GET /contacts/{contact}/tags": self.tags,
            "POST /contacts/{contact}/tags": self.add_tags,
            "DELETE /contacts/{contact}/tags/{tag}": self.remove_tag,
        }

    async def contacts(self, call: Call) -> Answer:
        limit, offset = call.page
        sort = call.choice("sort", "recent", "oldest", "name_asc", "name_desc")
        wanted = call.query.get("q", "").casefold()
        found = [
            contact
            for contact in self._records.contacts.values()
            if contact.deleted_at is None
            and (wanted in contact.identifier.casefold() or wanted in (contact.name or "").casefold())
        ]
        if sort.startswith("name"):
            found.sort(key=lambda contact: (contact.name or "").casefold(), reverse=sort == "name_desc")
        else:
            found.sort(key=self._last_news, reverse=sort == "recent")
        page = [contact_json(self._records, contact) for contact in found[offset : offset + limit]]
        return Answer(200, {"contacts": page, "pagination": pagination(limit, offset, len(found))})

    async def create(self, call: Call) -> Answer:
        address = read_address(call.fields.get("identifier"))
        name = _name(call.fields)
        if self._records.contact(address) is not None:
            raise ApiError(409, "A contact with this identifier already exists")
        contact = Contact(new_id("ct"), address, name, created_at=self._records.clock.now())
        self._records.contacts[address] = contact
        self._changes.bump()
        return Answer(201, contact_json(self._records, contact))

    async def get(self, call: Call) -> Answer:
        return Answer(200, contact_json(self._records, self._contact(call)))

    async def rename(self, call: Call) -> Answer:
        contact = self._contact(call)
        if "name" in call.fields:
            contact.name = _name(call.fields)
            self._changes.bump()
        return Answer(200, contact_json(self._records, contact))

    async def delete(self, call: Call) -> Answer:
        contact = self._contact(call)
        contact.deleted_at = self._records.clock.now()
        self._changes.bump()
        return Answer(200, {"success": True, "deleted_at": ms(contact.deleted_at)})

    async def capabilities(self, call: Call) -> Answer:
        """Works for strangers too, who become phones by being asked about."""
        address = read_address(call.names["contact"])
        if not any(line.is_active for line in self._records.lines):
            raise ApiError(503, "No active number available to check capabilities")
        return Answer(
            200,
            {
                "contact": address,
                "type": kind_of(address),
                "capabilities": self._records.phone(address).capabilities,
                "last_checked": ms(self._records.clock.now()),
            },
        )

    async def tags(self, call: Call) -> Answer:
        tags = self._contact(call).tags
        return Answer(200, {"tags": [{"tag": tag, "created_at": ms(at)} for tag, at in tags.items()]})

    async def add_tags(self, call: Call) -> Answer:
        contact = self._contact(call)
        tags = call.fields.get("tags")
        if not isinstance(tags, list) or not tags or not all(isinstance(tag, str) and tag for tag in tags):
            raise ApiError(400, "tags must be a non-empty array of strings")
        for tag in tags:
            contact.tags.setdefault(tag, self._records.clock.now())
        self._changes.bump()
        return Answer(201, {"success": True, "tags_added": tags})

    async def remove_tag(self, call: Call) -> Answer:
        if self._contact(call).tags.pop(call.names["tag"], None) is None:
            raise ApiError(404, "Tag not found")
        self._changes.bump()
        return Answer(200, {"success": True, "deleted_at": ms(self._records.clock.now())})

    def _contact(self, call: Call) -> Contact:
        contact = self._records.contact(read_address(call.names["contact"]))
        if contact is None:
            raise ApiError(404, "Contact not found")
        return contact

    def _last_news(self, contact: Contact) -> float:
        chat = self._records.chats.get(contact.identifier)
        return chat[-1].at if chat else contact.created_at


def _name(fields: dict[str, Any]) -> str | None:
    name = fields.get("name")
    if name is not None and not isinstance(name, str):
        raise ApiError(400, "name must be a string or null")
    return name
