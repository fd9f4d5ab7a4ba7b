"""`/groups`: the groups there are, to be read. Nobody creates or changes one here but a test."""

from typing import Any

from sandbox.blooio.calls import Answer, Call, Routes
from sandbox.blooio.errors import ApiError
from sandbox.blooio.model import Group
from sandbox.blooio.records import Records
from sandbox.blooio.rendering import contact_reference, ms, pagination


class GroupsApi:
    """The endpoints of groups that read."""

    def __init__(self, records: Records) -> None:
        self._records = records

    @property
    def routes(self) -> Routes:
        return {
            "GET /groups": self.groups,
            "GET /groups/{group}": self.get,
            "GET /groups/{group}/members": self.members,
        }

    async def groups(self, call: Call) -> Answer:
        limit, offset = call.page
        sort = call.choice("sort", "recent", "oldest", "name_asc", "name_desc")
        wanted = call.query.get("q", "").casefold()
        found = [group for group in self._records.groups.values() if wanted in (group.name or "").casefold()]
        if sort.startswith("name"):
            found.sort(key=lambda group: (group.name or "").casefold(), reverse=sort == "name_desc")
        else:
            found.sort(key=self._last_news, reverse=sort == "recent")
        page = [self._json(group) for group in found[offset : offset + limit]]
        return Answer(200, {"groups": page, "pagination": pagination(limit, offset, len(found))})

    async def get(self, call: Call) -> Answer:
        return Answer(200, self._json(self._group(call)))

    async def members(self, call: Call) -> Answer:
        limit, offset = call.page
        group = self._group(call)
        members = [
            {
                "id": address,
                "contact_id": None,
                "identifier": address,
                "name": None,
                **(contact_reference(self._records, address) or {}),
                "added_at": ms(group.created_at),
            }
            for address in group.members
        ]
        return Answer(
            200,
            {
                "group_id": group.group_id,
                "group_name": group.name,
                "icon_url": None,
                "members": members[offset : offset + limit],
                "pagination": pagination(limit, offset, len(members)),
            },
        )

    def _group(self, call: Call) -> Group:
        group = self._records.groups.get(call.names["group"])
        if group is None:
            raise ApiError(404, "Group not found")
        return group

    def _last_news(self, group: Group) -> float:
        chat = self._records.chats.get(group.group_id)
        return chat[-1].at if chat else group.created_at

    def _json(self, group: Group) -> dict[str, Any]:
        chat = self._records.chats.get(group.group_id, [])
        last = chat[-1] if chat else None
        return {
            "group_id": group.group_id,
            "name": group.name,
            "chat_guid": f"iMessage;+;{group.group_id}",
            "icon_url": None,
            "member_count": len(group.members),
            "message_count": len(chat),
            "last_message_text": None if last is None else last.text,
            "last_message_time": None if last is None else ms(last.at),
            "last_message_direction": None if last is None else last.direction,
            "created_at": ms(group.created_at),
        }
