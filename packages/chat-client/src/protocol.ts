// Written by `npm run client-types` from /openapi.json and /asyncapi.json.

export interface paths {
    "/v1/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lengths, sizes, types and rates that this server keeps to
         * @description What a client needs to know before it sends: the length of a text, the size and the types of files, and how many calls it has. The limits change only when the server is started anew.
         */
        get: operations["getLimits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Register as a company or an applicant */
        post: operations["register"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Log in */
        post: operations["logIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Exchange a refresh token for new tokens; the old one is spent */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the session, with its tokens and its sockets */
        post: operations["logOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/email-verification": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send the letter of verification again */
        post: operations["requestEmailVerification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/password-reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask for a letter to choose a new password; the answer does not tell whether the address is known */
        post: operations["requestPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller */
        get: operations["getMe"];
        put?: never;
        post?: never;
        /** Ask to be erased: every session ends; until it is due one can log in and take it back */
        delete: operations["eraseMe"];
        options?: never;
        head?: never;
        /** Change the caller's profile */
        patch: operations["changeMe"];
        trace?: never;
    };
    "/v1/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Change the password; every other session ends */
        put: operations["changePassword"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Change the e-mail address, as soon as the new one is confirmed; the present one is told */
        put: operations["changeEmail"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's open sessions, most recently used first */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/sessions/{sessionId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End one of the sessions, with its tokens and its sockets */
        delete: operations["endSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make the secret of a second factor, which waits for its first code; again makes another */
        post: operations["beginTotp"];
        /** Remove the second factor */
        delete: operations["removeTotp"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/totp/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Activate the second factor with its first code; every other session ends */
        post: operations["confirmTotp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/storage/{fileId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download a file or its thumbnail, by the link that was given for it
         * @description The link says for whom it was signed; what that user may see is checked again. One `Range` is honoured, with `If-Range`; `If-None-Match` with the `ETag` of the bytes is 304.
         */
        get: operations["download"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/email-verification/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A page that asks; it confirms nothing, because scanners of mail follow every link */
        get: operations["askToConfirmEmail"];
        put?: never;
        /** Confirm the address that a letter went to; again is no fault */
        post: operations["confirmEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/password-reset/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A page to type the new password on */
        get: operations["askForNewPassword"];
        put?: never;
        /** Choose a new password, once for each letter; every session of the account ends */
        post: operations["resetPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A page that says who invites; it accepts nothing, because scanners of mail follow every link */
        get: operations["showInvitation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/storage/quarantine/{fileId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Upload the bytes of a file, to the URL that was given for it
         * @description Exactly the headers of the answer to `POST /v1/files`, within 5 minutes, once: a second upload is 412. With S3 the link leads to the bucket instead of this call.
         */
        put: operations["upload"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/unsubscribe": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A page that asks; it changes nothing, because scanners of mail follow every link */
        get: operations["askToUnsubscribe"];
        put?: never;
        /** End the notifications by e-mail (RFC 8058); again is no fault */
        post: operations["unsubscribe"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/oauth/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get a token for a client, or exchange the token of a trusted issuer for one of its user
         * @description Errors are those of OAuth, `error` and `error_description`, with the fields of a problem beside them.
         */
        post: operations["issueToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/{externalId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Make an account for a person of the board, or change it; again changes nothing */
        put: operations["putUser"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/{userId}/deactivate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Keep a person of the board out; sessions and sockets end */
        post: operations["deactivateUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/{userId}/reactivate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a deactivated person in again, unless an operator keeps it out */
        post: operations["reactivateUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/{userId}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Open a session of a person of the board: its token is for REST and for the socket */
        post: operations["issueUserToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jobs, newest first */
        get: operations["listJobs"];
        put?: never;
        /** Post a job: its chat group then exists, and the company is its admin */
        post: operations["postJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{jobId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One job */
        get: operations["getJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change a job of one’s own */
        patch: operations["changeJob"];
        trace?: never;
    };
    "/v1/jobs/{jobId}/threads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The private conversations about a job of one’s own, the latest activity first */
        get: operations["listThreads"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{jobId}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Close a job of one’s own, and its group; private conversations go on for a while */
        post: operations["closeJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{jobId}/applications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Apply for a job: the applicant is then a member of its group */
        post: operations["apply"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/applications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller’s applications; for the company that posted a job, the job’s */
        get: operations["listApplications"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/applications/{applicationId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Withdraw an application of one’s own, and leave the group */
        delete: operations["withdrawApplication"];
        options?: never;
        head?: never;
        /** Change the status of an application; the applicant is notified */
        patch: operations["changeApplicationStatus"];
        trace?: never;
    };
    "/v1/applications/{applicationId}/assignee": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Assign an application to one of the company’s people, or to nobody */
        put: operations["assignApplication"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/applications/{applicationId}/notes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Of the notes on an application, the newest, or those before or after a seq; ascending */
        get: operations["listNotes"];
        put?: never;
        /** Add a note for the company’s people; the same clientMsgId is the same note for ever */
        post: operations["addNote"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/applications/{applicationId}/notes/{noteId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete a note of one’s own; an owner of the company may delete any */
        delete: operations["deleteNote"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller’s groups */
        get: operations["listGroups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/groups/{groupId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One group of the caller */
        get: operations["getGroup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/groups/{groupId}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The members of a group */
        get: operations["listMembers"];
        put?: never;
        /** Add a member, or change its role; the company that posted the job may bring itself back */
        post: operations["addMember"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/groups/{groupId}/members/{userId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a member, or leave */
        delete: operations["removeMember"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/company": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The company of the caller: the one that it has joined, or its own */
        get: operations["getCompany"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Rename the company */
        patch: operations["changeCompany"];
        trace?: never;
    };
    "/v1/company/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The people of the caller’s company */
        get: operations["listTeammates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/company/members/{userId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove somebody from the company, or leave it; this ends all access at once */
        delete: operations["removeTeammate"];
        options?: never;
        head?: never;
        /** Change the role of somebody in the company, or the jobs that it is about */
        patch: operations["changeTeammate"];
        trace?: never;
    };
    "/v1/company/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The open invitations to the company, oldest first */
        get: operations["listInvitations"];
        put?: never;
        /** Invite an address to the company by a letter; the answer does not tell whether it is known */
        post: operations["inviteTeammate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/company/invitations/{invitationId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take back an invitation that nobody has accepted */
        delete: operations["revokeInvitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/invitations/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Join a company, in place of an empty one of one’s own; again is no fault */
        post: operations["acceptInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/groups/{groupId}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest messages, or those before, after or around a seq; ascending */
        get: operations["listMessages"];
        put?: never;
        /** Send a message; the same clientMsgId is the same message for ever */
        post: operations["sendMessage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/groups/{groupId}/messages/{messageId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One message */
        get: operations["getMessage"];
        put?: never;
        post?: never;
        /** Delete a message; an admin may delete any message */
        delete: operations["deleteMessage"];
        options?: never;
        head?: never;
        /** Change the text of a message of one’s own */
        patch: operations["editMessage"];
        trace?: never;
    };
    "/v1/groups/{groupId}/messages/{messageId}/reactions/{emoji}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** React to a message */
        put: operations["addReaction"];
        post?: never;
        /** Take a reaction back */
        delete: operations["removeReaction"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/groups/{groupId}/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Say that everything up to a seq is read; the marker never moves back */
        put: operations["markRead"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/search/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Messages with these words, in the caller’s groups or one of them */
        get: operations["searchMessages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The names of people whom the caller has to do with; others are left out */
        get: operations["listUsers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How these files stand; those that the caller may not know of are left out
         * @description In the order of `ids`, each as `GET /v1/files/{fileId}` returns it. With the ids in `fileIds` of a push or in `files` of messages, this gets their links in one call.
         */
        get: operations["listFiles"];
        put?: never;
        /**
         * Ask for a place to upload a file to, for one group
         * @description Send the bytes to `upload.url` with `upload.headers`, then call `POST /v1/files/{fileId}/complete`. Name and type are decided together: a type that is absent or too general follows from the name, and answers have the canonical one. `GET /v1/limits` lists the types.
         */
        post: operations["requestUpload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files/{fileId}/complete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say that the bytes are uploaded: they are then inspected
         * @description The server inspects the bytes: the file is `scanning`, and soon `clean`, `infected` or `rejected`. A message may name it before. May be repeated; the answer then has the status of the file.
         */
        post: operations["completeUpload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files/{fileId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How a file stands; when it is clean, a link that downloads it
         * @description `url` works for 60 s, as an attachment, for the caller alone. `thumbnailUrl` stays the same for an hour.
         */
        get: operations["getFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/notification-preferences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the caller wants to be notified while away */
        get: operations["getNotificationPreferences"];
        /**
         * Set all of it: what is left out takes its standard value
         * @description Takes what GET and PUT answer. To change one of them, use PATCH: of two changes at the same time both are then kept.
         */
        put: operations["setNotificationPreferences"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change some of it: what is left out stays as it is
         * @description Null takes quiet hours away, and lets the role in the company decide for `team`.
         */
        patch: operations["changeNotificationPreferences"];
        trace?: never;
    };
    "/v1/push-key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The applicationServerKey for pushManager.subscribe; null when there are no pushes */
        get: operations["getPushKey"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/push-subscriptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Notify the caller on this browser: its PushSubscription as it is; the oldest of more than 20 gives way
         * @description The same endpoint again replaces the keys. A subscription that its push service reports as gone is removed.
         */
        post: operations["addPushSubscription"];
        /** Notify the caller on this browser no longer */
        delete: operations["removePushSubscription"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/groups/{groupId}/mute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Notify the caller of this group no longer
         * @description May be repeated. All other preferences stay as they are.
         */
        put: operations["muteGroup"];
        post?: never;
        /**
         * Notify the caller of this group again
         * @description May be repeated. All other preferences stay as they are.
         */
        delete: operations["unmuteGroup"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The log in its order, one event a line; the last line is {"next": position or null} */
        get: operations["exportEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/privacy/erasures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Erase a person, at once unless a hold suspends it */
        post: operations["requestErasure"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/privacy/erasures/{erasureId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far an erasure has come, for the person and for auditors */
        get: operations["getErasure"];
        put?: never;
        post?: never;
        /** Take an erasure back, while it is not done */
        delete: operations["withdrawErasure"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/privacy/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All holds, newest first */
        get: operations["listHolds"];
        put?: never;
        /** Keep a group from erasure and retention */
        post: operations["placeHold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/privacy/holds/{holdId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Let the erasure and retention of a group go on */
        delete: operations["releaseHold"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/privacy/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All that is stored about the caller; the first line has the numbers of the others */
        get: operations["exportOwnData"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/privacy/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** All that is stored about a person; personal text is shown to a grant for that person only */
        post: operations["exportPerson"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/streams/{streamId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The state of a stream at a moment, and the events that led to it */
        get: operations["getPastStream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/groups/{groupId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A conversation as its members saw it at a moment, and who could read it then */
        get: operations["getPastGroup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/trace/{eventId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What an event followed from, and what followed from it */
        get: operations["traceEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/access-grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The grants of all auditors, newest first */
        get: operations["listAccessGrants"];
        put?: never;
        /** Open the personal text of one user or one group to oneself, for at most an hour */
        post: operations["grantAccess"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/access-grants/{grantId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a grant of one’s own early; again is no fault */
        delete: operations["endAccess"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/checkpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The signed checkpoints of the log, oldest first */
        get: operations["listCheckpoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/proof": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Proves that the event at a position is among the events of a checkpoint */
        get: operations["proveInclusion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/consistency": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Proves that the events of a checkpoint begin with those of an older one */
        get: operations["proveConsistency"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Accounts: the newest first, or those that begin as asked, addresses before names */
        get: operations["listAccounts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/users/{userId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One account, with its open sessions */
        get: operations["getAccount"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/users/{userId}/suspend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Keep a user from logging in: its sessions and sockets end, and nothing is sent to it */
        post: operations["suspendUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/users/{userId}/end-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End all sessions of a user, or one of them, with their sockets */
        post: operations["endSessions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/users/{userId}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a suspended user log in again */
        post: operations["restoreUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/users/{userId}/reset-second-factor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Remove the second factor of a user, who has lost it */
        post: operations["resetSecondFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/users/{userId}/verify-email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Vouch for the e-mail address of a user: mail goes to it */
        post: operations["verifyEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The jobs of all companies, newest first */
        get: operations["listPostings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/jobs/{jobId}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Close the job of a company, as its owner does; the reason stays with the operators */
        post: operations["takeDownJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/notifications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How much waits to be sent, and how much could not be sent */
        get: operations["getNotificationBacklog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/notifications/parked": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The batches that could not be sent, the first to be parked first */
        get: operations["listParkedBatches"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/notifications/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send parked batches again, those that are named or all of them */
        post: operations["replayNotifications"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/read-models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far each read model is, and its last rebuild */
        get: operations["listReadModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/read-models/{name}/rebuild": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Build a read model anew beside the live one, compare them, and switch */
        post: operations["rebuildReadModel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/read-models/{name}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put back the version before the last rebuild; it catches up by itself */
        post: operations["rollBackReadModel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/system": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Readiness with all details, the processes, who leads what, and what waits */
        get: operations["getSystem"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface components {
    schemas: {
        /**
         * @example {
         *       "token": "That of the link in the letter"
         *     }
         */
        AcceptInvitation: {
            token: string;
        };
        AccessGrant: {
            /** Format: uuid */
            grantId: string;
            /** Format: uuid */
            auditorId: string;
            reason: string;
            scope: components["schemas"]["GrantScope"];
            /** Format: date-time */
            grantedAt: string;
            /** Format: date-time */
            expiresAt: string;
            /**
             * Format: date-time
             * @description When the auditor ended it early
             */
            endedAt: string | null;
        };
        AccessGrantPage: {
            data: components["schemas"]["AccessGrant"][];
            nextCursor: string | null;
        };
        AccessGranted: {
            /** Format: uuid */
            grantId: string;
            /** Format: date-time */
            expiresAt: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        Account: {
            /** Format: uuid */
            userId: string;
            /** @enum {string} */
            role: "company" | "applicant" | "auditor" | "admin";
            /** @description Null for accounts of a board without one, and for erased people */
            email: string | null;
            displayName: string;
            emailVerified: boolean;
            hasSecondFactor: boolean;
            isSuspended: boolean;
            isErased: boolean;
            /** Format: date-time */
            createdAt: string;
        };
        AccountDetails: {
            /** Format: uuid */
            userId: string;
            /** @enum {string} */
            role: "company" | "applicant" | "auditor" | "admin";
            /** @description Null for accounts of a board without one, and for erased people */
            email: string | null;
            displayName: string;
            emailVerified: boolean;
            hasSecondFactor: boolean;
            isSuspended: boolean;
            isErased: boolean;
            /** Format: date-time */
            createdAt: string;
            /** @description The open sessions, most recently used first */
            sessions: components["schemas"]["OpenSession"][];
        };
        AccountPage: {
            data: components["schemas"]["Account"][];
            nextCursor: string | null;
        };
        /**
         * @example {
         *       "reason": "Complaint 4711"
         *     }
         */
        Act: {
            /** @description Why. It is on record, for auditors */
            reason: string;
        };
        Acted: {
            /** Format: uuid */
            actId: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        /**
         * @example {
         *       "userId": "0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f",
         *       "role": "admin"
         *     }
         */
        AddMember: {
            /** Format: uuid */
            userId: string;
            /** @enum {string|null} */
            role?: "admin" | "member" | null;
        };
        /**
         * @example {
         *       "clientMsgId": "0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f",
         *       "text": "Knows engines; ask about Rust."
         *     }
         */
        AddNote: {
            /** Format: uuid */
            clientMsgId: string;
            /** @description Contains a visible character */
            text: string;
        };
        /**
         * @description A PushSubscription, as browsers write it as JSON
         * @example {
         *       "endpoint": "https://push.example.org/send/0199f5a0",
         *       "expirationTime": null,
         *       "keys": {
         *         "p256dh": "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM",
         *         "auth": "tBHItJI5svbpez7KI4CCXg"
         *       }
         *     }
         */
        AddPushSubscription: {
            /**
             * Format: uri
             * @description The URL of a push service on the public Internet, without a user name or password
             * @example https://push.example.org/send/0199f5a0
             */
            endpoint: string;
            expirationTime?: number | null;
            keys: components["schemas"]["PushKeys"];
        };
        ApiDocument: {
            [key: string]: unknown;
        };
        Applicant: {
            /** Format: uuid */
            userId: string;
            displayName: string;
        };
        Application: {
            /** Format: uuid */
            id: string;
            /**
             * Format: uuid
             * @description The same as id, under the name that commands answer with
             */
            applicationId: string;
            /** Format: uuid */
            jobId: string;
            /** Format: uuid */
            groupId: string;
            /** Format: uuid */
            applicantId: string;
            applicant: components["schemas"]["Applicant"];
            /** @enum {string} */
            status: "submitted" | "withdrawn" | "screening" | "interview" | "offer" | "hired" | "rejected";
            reason: string | null;
            coverLetter: string | null;
            /** Format: date-time */
            submittedAt: string;
            /**
             * Format: uuid
             * @description For the company’s people
             */
            assigneeId?: string | null;
        };
        ApplicationPage: {
            data: components["schemas"]["Application"][];
            nextCursor: string | null;
        };
        Applied: {
            /** Format: uuid */
            applicationId: string;
            /** Format: uuid */
            jobId: string;
            /** Format: uuid */
            groupId: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        /**
         * @example {
         *       "coverLetter": "I have built engines for ten years."
         *     }
         */
        Apply: {
            coverLetter?: string | null;
        };
        /**
         * @example {
         *       "jobId": "0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f",
         *       "coverLetter": "I have built engines for ten years."
         *     }
         */
        ApplyToJob: {
            /** Format: uuid */
            jobId: string;
            coverLetter?: string | null;
        };
        /**
         * @example {
         *       "userId": "0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f"
         *     }
         */
        AssignApplication: {
            /** Format: uuid */
            userId: string | null;
        };
        AuditLine: {
            position: string;
            /** Format: uuid */
            id: string;
            stream: string;
            /** Format: int64 */
            revision: number;
            type: string;
            /** Format: int64 */
            v: number;
            /** Format: date-time */
            occurredAt: string;
            /**
             * Format: date-time
             * @description When the log took it; null where that was not kept
             */
            recordedAt: string | null;
            /**
             * Format: uuid
             * @description Null for the system
             */
            actorId: string | null;
            correlationId: string | null;
            /** Format: uuid */
            causationId: string | null;
            /** @description The client that acted for the actor; absent without one */
            via?: components["schemas"]["Via"];
            /** @description Personal text is "[redacted]" unless a grant opens it */
            data: unknown;
        };
        /**
         * @example {
         *       "password": "a long enough secret"
         *     }
         */
        BeginTotp: {
            password: string;
        };
        /**
         * @example {
         *       "status": "interview",
         *       "reason": "We would like to meet you."
         *     }
         */
        ChangeApplicationStatus: {
            /** @enum {string} */
            status: "screening" | "interview" | "offer" | "hired" | "rejected";
            reason?: string | null;
        };
        /**
         * @example {
         *       "name": "Acme Robotics"
         *     }
         */
        ChangeCompany: {
            /** @description Contains a visible character */
            name?: string;
        };
        /**
         * @example {
         *       "email": "ada@example.org",
         *       "password": "a long enough secret"
         *     }
         */
        ChangeEmail: {
            /**
             * Format: email
             * @description Spaces around it are dropped; an international domain may be written as it is read
             */
            email: string;
            password: string;
        };
        /**
         * @example {
         *       "title": "Senior engineer",
         *       "location": null
         *     }
         */
        ChangeJob: {
            /** @description Contains a visible character */
            title?: string;
            description?: string;
            location?: string | null;
            /** @enum {string} */
            conversations?: "group" | "private";
            /** @enum {string} */
            historyFrom?: "start" | "joined";
        };
        /**
         * @example {
         *       "displayName": "Ada Lovelace"
         *     }
         */
        ChangeMe: {
            /** @description Contains a visible character */
            displayName?: string;
        };
        /**
         * @example {
         *       "email": false
         *     }
         */
        ChangeNotificationPreferences: {
            email?: boolean;
            push?: boolean;
            muted?: string[];
            /** @description null: none */
            quietHours?: components["schemas"]["QuietHoursInput"] | null;
            /** Format: int32 */
            digestMinutes?: number;
            /**
             * @description null: as the role in the company has it
             * @enum {string|null}
             */
            team?: "assigned" | "all" | null;
        };
        /**
         * @example {
         *       "currentPassword": "a long enough secret",
         *       "newPassword": "another long secret"
         *     }
         */
        ChangePassword: {
            currentPassword: string;
            /** @description None of the most common ones, no mere repetition, and nothing of the address or the name of its owner */
            newPassword: string;
        };
        /**
         * @example {
         *       "role": "recruiter",
         *       "jobIds": null
         *     }
         */
        ChangeTeammate: {
            /** @enum {string} */
            role?: "owner" | "recruiter" | "interviewer" | "viewer";
            jobIds?: string[] | null;
        };
        ChangedCompany: {
            /** Format: uuid */
            companyId: string;
            name: string;
            /** @enum {string} */
            myRole: "owner" | "recruiter" | "interviewer" | "viewer";
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        ChangedMe: {
            /** Format: uuid */
            id: string;
            /**
             * Format: uuid
             * @description The same as id
             */
            userId: string;
            /** @enum {string} */
            role: "company" | "applicant" | "auditor" | "admin";
            displayName: string;
            /** @description Null for an account of a board that has given none */
            email: string | null;
            /**
             * Format: uuid
             * @description For companies: the one that the caller has joined, or its own
             */
            companyId?: string;
            /** @description Mail goes to a verified address only */
            emailVerified: boolean;
            /** @description The erasure that the caller has asked for and can still take back */
            erasure: {
                /** Format: uuid */
                erasureId: string;
                /** Format: date-time */
                dueAt: string;
            } | null;
            /** @description Whether logins need a code of the second factor */
            totpEnabled: boolean;
            /** @description What this server offers beyond the first version */
            features: string[];
            /** @description Of the log. It changes when the log was restored to an earlier state: seqs and positions of before mean nothing then. */
            epoch: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        /** @description How to check the signature: docs/audit.md */
        Checkpoint: {
            /** Format: int64 */
            size: number;
            root: string;
            previous: string | null;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
            /** Format: date-time */
            at: string;
            keyId: string;
            signature: string;
        };
        CheckpointPage: {
            data: components["schemas"]["Checkpoint"][];
            nextCursor: string | null;
        };
        Company: {
            /** Format: uuid */
            companyId: string;
            name: string;
            /** @enum {string} */
            myRole: "owner" | "recruiter" | "interviewer" | "viewer";
        };
        /**
         * @example {
         *       "token": "That of the link in the letter"
         *     }
         */
        ConfirmEmail: {
            token: string;
        };
        /**
         * @example {
         *       "code": "123456"
         *     }
         */
        ConfirmTotp: {
            /** @description The code that the authenticator app shows */
            code: string;
        };
        /** @description RFC 6962 §2.1.2 */
        ConsistencyProof: {
            /** Format: int64 */
            from: number;
            /** Format: int64 */
            to: number;
            hashes: string[];
        };
        /** @description Points of `requests`, `clients` or `anonymous` that a call takes, or the rate that counts it */
        Costs: {
            usual: {
                [key: string]: number;
            };
            exceptions: {
                [key: string]: unknown;
            };
        };
        Dependency: {
            /** @enum {string} */
            status: "ok" | "degraded" | "down";
        };
        DependencyDetails: {
            /** @enum {string} */
            status: "ok" | "degraded" | "down";
            detail?: string;
        };
        Discovery: {
            /** @description The `iss` of access tokens */
            issuer: string;
            jwks_uri: string;
            /** @description Of the keys. There are no ID tokens: these algorithms sign access tokens */
            id_token_signing_alg_values_supported: ("ES256" | "EdDSA" | "RS256")[];
            subject_types_supported: string[];
            /** @description Empty: people log in with `POST /v1/auth/login`, and there is no authorization endpoint */
            response_types_supported: string[];
            claims_supported: string[];
            /** @description Where clients get their tokens */
            token_endpoint: string;
            token_endpoint_auth_methods_supported: string[];
            token_endpoint_auth_signing_alg_values_supported: string[];
            grant_types_supported: string[];
            /** @description Of clients */
            scopes_supported: ("users:write" | "tokens:issue" | "jobs:write" | "applications:write" | "messages:write" | "messages:read")[];
        };
        DocumentUrls: {
            /** Format: uri */
            openapi: string;
            /** Format: uri */
            asyncapi: string;
            /** Format: uri */
            docs: string;
        };
        Documents: {
            name: string;
            version: string;
            documents: components["schemas"]["DocumentUrls"];
        };
        Done: {
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        /**
         * @example {
         *       "text": "Hello again"
         *     }
         */
        EditMessage: {
            /** @description Contains a visible character */
            text: string | null;
        };
        EmailConfirmed: {
            /** @constant */
            emailVerified: true;
        };
        EmailVerificationRequested: {
            /** @description False when no address waits for it, or when it has had its three letters of the day */
            sent: boolean;
        };
        Empty: Record<string, never>;
        /**
         * @example {
         *       "reason": "A laptop was stolen"
         *     }
         */
        EndSessions: {
            /** @description Why. It is on record, for auditors */
            reason: string;
            /** Format: uuid */
            sessionId?: string;
        };
        /**
         * @example {
         *       "password": "a long enough secret"
         *     }
         */
        EraseMe: {
            password: string;
        };
        Erasure: {
            /** Format: uuid */
            erasureId: string;
            /** Format: uuid */
            userId: string;
            /**
             * @description `suspended` while an auditor holds one of the person’s groups; `done` once nothing is left
             * @enum {string}
             */
            state: "scheduled" | "suspended" | "done";
            /** Format: date-time */
            dueAt: string;
            /** Format: date-time */
            erasedAt: string | null;
        };
        ErasureAsked: {
            /** Format: uuid */
            erasureId: string;
            /** Format: date-time */
            dueAt: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        /** @description One thing that is stored about the person; `kind` says what */
        ExportLine: {
            kind: string;
        } & {
            [key: string]: unknown;
        };
        /**
         * @example {
         *       "userId": "0197a000-0000-7000-8000-000000000001"
         *     }
         */
        ExportPerson: {
            /** Format: uuid */
            userId: string;
        };
        Fault: {
            /** @description RFC 6901 */
            pointer: string;
            message: string;
        };
        FileLimits: {
            /**
             * Format: int64
             * @description Bytes
             */
            size: number;
            /** @description Media types that may be declared, under all of their names */
            types: string[];
            /** @description Of names, without the dot */
            extensions: string[];
        };
        FileList: {
            data: components["schemas"]["SharedFile"][];
        };
        /**
         * @example {
         *       "reason": "Complaint 4711",
         *       "scope": {
         *         "groupId": "01900000-0000-7000-8000-000000000001"
         *       },
         *       "minutes": 30
         *     }
         */
        GrantAccess: {
            /** @description Contains a visible character */
            reason: string;
            scope: components["schemas"]["GrantScopeInput"];
            /** Format: int32 */
            minutes: number;
        };
        /** @description One of both */
        GrantScope: {
            /** Format: uuid */
            userId?: string;
            /** Format: uuid */
            groupId?: string;
        };
        /** @description One of both */
        GrantScopeInput: {
            /** Format: uuid */
            userId?: string;
            /** Format: uuid */
            groupId?: string;
        };
        Group: {
            /** Format: uuid */
            id: string;
            /**
             * Format: uuid
             * @description The same as id, under the name that commands answer with
             */
            groupId: string;
            /** @enum {string} */
            kind: "job" | "team" | "thread";
            /** Format: uuid */
            jobId: string | null;
            /**
             * Format: uuid
             * @description Of a thread
             */
            applicationId?: string;
            name: string;
            /** @enum {string} */
            status: "open" | "closed";
            /** @enum {string} */
            myRole: "admin" | "member";
            /** Format: int64 */
            memberCount: number;
            /** Format: int64 */
            headSeq: number;
            /**
             * Format: int64
             * @description Up to where the caller has read, or was not there
             */
            readSeq: number;
            /**
             * Format: int64
             * @description Messages of others since then that have not been deleted
             */
            unreadCount: number;
            lastMessage: components["schemas"]["Message"] | null;
            /** Format: date-time */
            createdAt: string;
        };
        GroupPage: {
            data: components["schemas"]["Group"][];
            nextCursor: string | null;
        };
        HistoryPage: {
            data: components["schemas"]["Message"][];
            hasMore: boolean;
            /** Format: int64 */
            headSeq: number;
            /** @description Of the log. It changes when the log was restored to an earlier state: seqs and positions of before mean nothing then. */
            epoch: string;
        };
        Hold: {
            /** Format: uuid */
            holdId: string;
            /** Format: uuid */
            groupId: string;
            reason: string;
            /** Format: uuid */
            placedBy: string | null;
            /** Format: date-time */
            placedAt: string;
            /** Format: date-time */
            releasedAt: string | null;
        };
        HoldPage: {
            data: components["schemas"]["Hold"][];
            nextCursor: string | null;
        };
        HoldPlaced: {
            /** Format: uuid */
            holdId: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        /** @description RFC 6962 §2.1.1 */
        InclusionProof: {
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
            /**
             * Format: int64
             * @description Of the leaf in the tree, from 0
             */
            index: number;
            /** Format: int64 */
            size: number;
            /** @description SHA-256 in base64url */
            leaf: string;
            hashes: string[];
            event: components["schemas"]["SealedEvent"];
        };
        Invitation: {
            /** Format: uuid */
            invitationId: string;
            email: string;
            /** @enum {string} */
            role: "owner" | "recruiter" | "interviewer" | "viewer";
            jobIds: string[] | null;
            /** Format: date-time */
            expiresAt: string;
        };
        InvitationAccepted: {
            /** Format: uuid */
            companyId: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        InvitationPage: {
            data: components["schemas"]["Invitation"][];
            nextCursor: string | null;
        };
        /**
         * @example {
         *       "email": "grace@example.com",
         *       "role": "recruiter"
         *     }
         */
        InviteTeammate: {
            /**
             * Format: email
             * @description Spaces around it are dropped; an international domain may be written as it is read
             */
            email: string;
            /** @enum {string} */
            role: "owner" | "recruiter" | "interviewer" | "viewer";
            jobIds?: string[] | null;
        };
        /**
         * @example {
         *       "ttlSeconds": 3600
         *     }
         */
        IssueUserToken: {
            /** Format: int32 */
            ttlSeconds: number;
        };
        Job: {
            /** Format: uuid */
            id: string;
            /**
             * Format: uuid
             * @description The same as id, under the name that commands answer with
             */
            jobId: string;
            /** Format: uuid */
            groupId: string;
            /** Format: uuid */
            companyId: string;
            company: components["schemas"]["JobCompany"];
            title: string;
            description: string;
            location: string | null;
            /** @enum {string} */
            status: "open" | "closed";
            /**
             * @description With `private`, groupId is the room of the company’s team
             * @enum {string}
             */
            conversations: "group" | "private";
            /** @enum {string} */
            historyFrom: "start" | "joined";
            /** Format: date-time */
            postedAt: string;
            /** @description For an applicant: whether it has applied, and not withdrawn */
            applied?: boolean;
            /**
             * Format: uuid
             * @description Of an applicant that has applied
             */
            applicationId?: string;
        };
        JobCompany: {
            /** Format: uuid */
            companyId: string;
            name: string;
        };
        JobPage: {
            data: components["schemas"]["Job"][];
            nextCursor: string | null;
        };
        JobPosted: {
            /** Format: uuid */
            jobId: string;
            /** Format: uuid */
            groupId: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        Jwks: {
            keys: {
                [key: string]: unknown;
            }[];
        };
        Lease: {
            name: string;
            /** Format: uuid */
            nodeId: string | null;
            vacantSeconds: number;
        };
        Limits: {
            message: components["schemas"]["MessageLimits"];
            file: components["schemas"]["FileLimits"];
            /** @description By the name that the RateLimit fields use */
            rates: {
                [key: string]: components["schemas"]["Rate"];
            };
            costs: components["schemas"]["Costs"];
        };
        Liveness: {
            /** @constant */
            status: "live";
        };
        /**
         * @example {
         *       "email": "ada@example.com",
         *       "password": "a long enough secret",
         *       "code": "123456"
         *     }
         */
        LogIn: {
            /**
             * Format: email
             * @description Spaces around it are dropped; an international domain may be written as it is read
             */
            email: string;
            password: string;
            /** @description Of the authenticator app, or a recovery code; needed where the account has a second factor */
            code?: string | null;
        };
        LoggedIn: {
            accessToken: string;
            refreshToken: string;
            /**
             * Format: int64
             * @description Of the access token, in seconds
             */
            expiresIn: number;
            /**
             * Format: int64
             * @description Of the refresh token, in seconds
             */
            refreshExpiresIn: number;
            user: components["schemas"]["User"];
        };
        /**
         * @example {
         *       "seq": 17
         *     }
         */
        MarkRead: {
            /** Format: int64 */
            seq: number;
        };
        Me: {
            /** Format: uuid */
            id: string;
            /**
             * Format: uuid
             * @description The same as id
             */
            userId: string;
            /** @enum {string} */
            role: "company" | "applicant" | "auditor" | "admin";
            displayName: string;
            /** @description Null for an account of a board that has given none */
            email: string | null;
            /**
             * Format: uuid
             * @description For companies: the one that the caller has joined, or its own
             */
            companyId?: string;
            /** @description Mail goes to a verified address only */
            emailVerified: boolean;
            /** @description The erasure that the caller has asked for and can still take back */
            erasure: {
                /** Format: uuid */
                erasureId: string;
                /** Format: date-time */
                dueAt: string;
            } | null;
            /** @description Whether logins need a code of the second factor */
            totpEnabled: boolean;
            /** @description What this server offers beyond the first version */
            features: string[];
            /** @description Of the log. It changes when the log was restored to an earlier state: seqs and positions of before mean nothing then. */
            epoch: string;
        };
        Member: {
            /** Format: uuid */
            userId: string;
            displayName: string;
            /** @enum {string} */
            role: "admin" | "member";
            online: boolean;
            /** Format: int64 */
            readSeq: number;
            /** Format: date-time */
            joinedAt: string;
        };
        MemberPage: {
            data: components["schemas"]["Member"][];
            nextCursor: string | null;
            /**
             * Format: int64
             * @description The version of the list that the page is at least as new as. The one of the first page is the afterRoster of sync
             */
            rosterHead: number;
        };
        Message: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            groupId: string;
            /** Format: int64 */
            seq: number;
            /** Format: uuid */
            senderId: string;
            sender: components["schemas"]["Person"];
            /**
             * Format: uuid
             * @description To its sender only
             */
            clientMsgId?: string;
            text: string | null;
            /**
             * Format: date-time
             * @description When the sender was erased, and the text with it
             */
            erasedAt: string | null;
            files: components["schemas"]["NamedFile"][];
            /** Format: uuid */
            replyTo: string | null;
            /**
             * Format: int64
             * @description Of that message; null where it is hidden from the caller
             */
            replyToSeq: number | null;
            reactions: {
                [key: string]: string[];
            };
            /** Format: date-time */
            occurredAt: string;
            /** Format: date-time */
            editedAt: string | null;
            /** Format: date-time */
            deletedAt: string | null;
        };
        MessageChanged: {
            /** Format: int64 */
            seq: number;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        MessageLimits: {
            /**
             * Format: int64
             * @description Characters
             */
            textLength: number;
            /** Format: int64 */
            files: number;
            /** Format: int64 */
            reactionsPerUser: number;
        };
        MessagePage: {
            data: components["schemas"]["Message"][];
            nextCursor: string | null;
        };
        MessageSent: {
            /** Format: uuid */
            messageId: string;
            /** Format: int64 */
            seq: number;
            /** Format: date-time */
            occurredAt: string;
            duplicate: boolean;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        NamedFile: {
            /** Format: uuid */
            fileId: string;
            name: string;
            contentType: string;
            /**
             * Format: int64
             * @description bytes
             */
            size: number;
            /** @enum {string} */
            status: "pending" | "scanning" | "clean" | "infected" | "rejected";
            hasThumbnail: boolean;
            /**
             * Format: uri
             * @description A picture of it, for the caller alone: the same for an hour, and a browser may keep it as long
             */
            thumbnailUrl?: string;
        };
        Node: {
            /** Format: uuid */
            nodeId: string;
            host: string;
            version: string;
            roles: string[];
            /** Format: date-time */
            startedAt: string;
        };
        Note: {
            /** Format: uuid */
            id: string;
            /**
             * Format: uuid
             * @description The same as id, under the name that commands answer with
             */
            noteId: string;
            /** Format: int64 */
            seq: number;
            /** Format: uuid */
            authorId: string;
            author: components["schemas"]["Person"];
            text: string | null;
            /**
             * Format: date-time
             * @description When the applicant was erased, and the text with it
             */
            erasedAt: string | null;
            /** Format: date-time */
            occurredAt: string;
            /** Format: date-time */
            deletedAt: string | null;
        };
        NoteAdded: {
            /** Format: uuid */
            noteId: string;
            /** Format: int64 */
            seq: number;
            /** Format: date-time */
            occurredAt: string;
            duplicate: boolean;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        NotePage: {
            data: components["schemas"]["Note"][];
            hasMore: boolean;
            /** Format: int64 */
            headSeq: number;
        };
        NotificationBacklog: {
            /**
             * Format: int64
             * @description Notifications, counted up to 100,000
             */
            waiting: number;
            /**
             * Format: int64
             * @description Batches, counted up to 100,000
             */
            parked: number;
            /** @description Since when the oldest batch could have been sent */
            oldestUnpublishedSeconds: number;
        };
        NotificationPreferences: {
            email: boolean;
            push: boolean;
            muted: string[];
            quietHours?: components["schemas"]["QuietHours"];
            /** Format: int32 */
            digestMinutes: number;
            /** @enum {string} */
            team?: "assigned" | "all";
        };
        NotificationPreferencesSet: {
            email: boolean;
            push: boolean;
            muted: string[];
            quietHours?: components["schemas"]["QuietHours"];
            /** Format: int32 */
            digestMinutes: number;
            /** @enum {string} */
            team?: "assigned" | "all";
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        NotificationsReplayed: {
            /** Format: uuid */
            actId: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
            /**
             * Format: int64
             * @description The batches that were parked
             */
            replayed: number;
        };
        /** @description RFC 6749 §5.2, with the fields of RFC 9457 beside it */
        OAuthError: {
            type: string;
            title: string;
            /** Format: int32 */
            status: number;
            detail: string;
            instance?: string;
            /** @description Stable: what to decide by */
            code: string;
            /** @description Whether the same request may succeed later */
            retryable: boolean;
            /**
             * Format: int64
             * @description When to try again; absent when waiting does not help
             */
            retryAfterMs?: number;
            errors?: components["schemas"]["Fault"][];
            error: string;
            error_description: string;
        };
        OpenSession: {
            /** Format: uuid */
            sessionId: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            lastUsedAt: string;
            userAgent: string | null;
        };
        ParkedBatch: {
            /** Format: uuid */
            batchId: string;
            /** Format: date-time */
            parkedAt: string;
            /** @enum {string} */
            channel: "email" | "push";
            /**
             * Format: uuid
             * @description A user, or the letter itself where it is about an account
             */
            recipientId: string;
            /** Format: int64 */
            notifications: number;
            reason: string;
        };
        ParkedBatchPage: {
            data: components["schemas"]["ParkedBatch"][];
            nextCursor: string | null;
        };
        PastFile: {
            /** Format: uuid */
            id: string;
            name: string;
            contentType: string;
            /** Format: int64 */
            size: number;
            /** @enum {string} */
            status: "pending" | "scanning" | "clean" | "infected" | "rejected";
        };
        PastGroup: {
            /** Format: uuid */
            groupId: string;
            /** @enum {string} */
            status: "open" | "closed";
            /** Format: uuid */
            ownerId: string | null;
            /** @description Who could read the conversation then */
            readers: components["schemas"]["PastReader"][];
            /** @description Ascending by seq */
            messages: components["schemas"]["PastMessage"][];
            /** Format: int64 */
            headSeq: number;
            hasMore: boolean;
        };
        PastMessage: {
            /** Format: uuid */
            id: string;
            /** Format: int64 */
            seq: number;
            /** Format: uuid */
            senderId: string;
            text: string | null;
            /**
             * Format: date-time
             * @description When the text was erased, by now; null for text that is redacted
             */
            erasedAt: string | null;
            files: components["schemas"]["PastFile"][];
            /** Format: uuid */
            replyTo: string | null;
            reactions: {
                [key: string]: string[];
            };
            /** Format: date-time */
            occurredAt: string;
            /** Format: date-time */
            editedAt: string | null;
            /** Format: date-time */
            deletedAt: string | null;
        };
        PastReader: {
            /** Format: uuid */
            userId: string;
            /** @enum {string} */
            role: "admin" | "member";
            /** Format: date-time */
            since: string;
            /**
             * Format: uuid
             * @description The event that let the user in
             */
            byEvent: string;
        };
        PastStream: {
            stream: string;
            /** Format: int64 */
            revision: number;
            /** @description Folded up to `revision`; of a conversation, its last 100 messages */
            state: unknown;
            events: components["schemas"]["AuditLine"][];
            /**
             * Format: int64
             * @description What to pass as afterRevision for the next events
             */
            next: number | null;
        };
        Person: {
            /** Format: uuid */
            id: string;
            displayName: string;
        };
        /**
         * @example {
         *       "groupId": "0197a000-0000-7000-8000-000000000001",
         *       "reason": "Acme v. Lovelace"
         *     }
         */
        PlaceHold: {
            /** Format: uuid */
            groupId: string;
            /** @description Contains a visible character */
            reason: string;
        };
        /**
         * @example {
         *       "title": "Engineer",
         *       "description": "Builds engines",
         *       "location": "Berlin"
         *     }
         */
        PostJob: {
            /** @description Contains a visible character */
            title: string;
            description: string;
            location?: string | null;
            /** @enum {string} */
            conversations?: "group" | "private";
            /** @enum {string} */
            historyFrom?: "start" | "joined";
        };
        Posting: {
            /** Format: uuid */
            jobId: string;
            title: string;
            /** @enum {string} */
            status: "open" | "closed";
            company: components["schemas"]["PostingCompany"];
            /** @enum {string} */
            conversations: "group" | "private";
            /** Format: date-time */
            postedAt: string;
            /**
             * Format: int64
             * @description Counted up to 1,000, without those that were withdrawn
             */
            applications: number;
        };
        PostingCompany: {
            /** Format: uuid */
            companyId: string;
            displayName: string;
        };
        PostingPage: {
            data: components["schemas"]["Posting"][];
            nextCursor: string | null;
        };
        /** @description RFC 9457: the same object as over HTTP */
        Problem: {
            type: string;
            title: string;
            status: number;
            detail: string;
            instance?: string;
            /**
             * @description Stable: what to decide by
             * @enum {string}
             */
            code: "BAD_REQUEST" | "UNAUTHORIZED_CLIENT" | "UNSUPPORTED_GRANT_TYPE" | "INVALID_SCOPE" | "INVALID_TARGET" | "SUBJECT_TOKEN_INVALID" | "TOKEN_MISSING" | "TOKEN_INVALID" | "TOKEN_EXPIRED" | "TOKEN_REVOKED" | "BAD_CREDENTIALS" | "ACCOUNT_SUSPENDED" | "TOTP_REQUIRED" | "TOTP_INVALID" | "INVALID_CLIENT" | "REFRESH_TOKEN_INVALID" | "FORBIDDEN" | "USER_TOKEN_REQUIRED" | "CLIENT_TOKEN_REQUIRED" | "SCOPE_MISSING" | "SECOND_FACTOR_REQUIRED" | "ROLE_NOT_ALLOWED" | "NOT_JOB_OWNER" | "NOT_APPLICANT" | "NOT_GROUP_ADMIN" | "NOT_MESSAGE_AUTHOR" | "NOT_NOTE_AUTHOR" | "GRANT_NOT_OPEN" | "NOT_FOUND" | "USER_NOT_FOUND" | "SESSION_NOT_FOUND" | "JOB_NOT_FOUND" | "APPLICATION_NOT_FOUND" | "NOTE_NOT_FOUND" | "GROUP_NOT_FOUND" | "MEMBER_NOT_FOUND" | "MESSAGE_NOT_FOUND" | "REPLY_TARGET_NOT_FOUND" | "FILE_NOT_FOUND" | "GRANT_NOT_FOUND" | "EVENT_NOT_FOUND" | "STREAM_NOT_FOUND" | "CHECKPOINT_NOT_FOUND" | "LINK_INVALID" | "FILE_EXISTS" | "RANGE_NOT_SATISFIABLE" | "METHOD_NOT_ALLOWED" | "EMAIL_TAKEN" | "ROLE_FIXED" | "TOTP_ENABLED" | "TOTP_NOT_SET_UP" | "JOB_CLOSED" | "APPLICATION_WITHDRAWN" | "APPLICATION_DECIDED" | "GROUP_CLOSED" | "LAST_ADMIN" | "JOB_OWNER_STAYS" | "COMPANY_NOT_FOUND" | "INVITATION_NOT_FOUND" | "NOT_COMPANY_OWNER" | "COMPANY_NOT_EMPTY" | "TOO_MANY_INVITATIONS" | "LAST_OWNER" | "APPLICANT_STAYS" | "CONVERSATIONS_FIXED" | "REMOVED_FROM_GROUP" | "FILE_NOT_UPLOADED" | "GROUP_FILES_FULL" | "FILE_REFUSED" | "FILE_CLEARED" | "FILE_EXPIRED" | "MESSAGE_DELETED" | "MESSAGE_EMPTY" | "TOO_MANY_REACTIONS" | "TOO_MANY_MUTED" | "CLIENT_MSG_ID_REUSED" | "ERASURE_NOT_FOUND" | "ERASURE_DONE" | "HOLD_NOT_FOUND" | "READ_MODEL_NOT_FOUND" | "OWN_ACCOUNT" | "LAST_OPERATOR" | "NO_EMAIL_ADDRESS" | "REBUILD_RUNNING" | "NOTHING_KEPT" | "POSITION_UNKNOWN" | "STREAM_DAMAGED" | "NOT_SEALED" | "SEAL_BROKEN" | "IDEMPOTENCY_KEY_IN_USE" | "PAYLOAD_TOO_LARGE" | "FILE_TOO_LARGE" | "FILE_TYPE_NOT_ALLOWED" | "UNSUPPORTED_MEDIA_TYPE" | "IDEMPOTENCY_KEY_REUSED" | "RATE_LIMITED" | "TOO_MANY_SOCKETS" | "TOO_MANY_EXPORTS" | "UNKNOWN_EVENT" | "INTERNAL" | "NOT_CAUGHT_UP" | "UNAVAILABLE" | "INSUFFICIENT_STORAGE";
            /** @description Whether the same request may succeed later */
            retryable: boolean;
            /** @description When to try again; absent when waiting does not help */
            retryAfterMs?: number;
            errors?: components["schemas"]["Fault"][];
        };
        PushKey: {
            publicKey: string | null;
        };
        PushKeys: {
            /**
             * @description An uncompressed point of P-256 in base64url
             * @example BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM
             */
            p256dh: string;
            auth: string;
        };
        /**
         * @example {
         *       "role": "applicant",
         *       "displayName": "Ada",
         *       "email": "ada@example.com",
         *       "emailVerified": true
         *     }
         */
        PutUser: {
            /** @enum {string} */
            role: "company" | "applicant";
            /** @description Contains a visible character */
            displayName: string;
            email?: string | null;
            emailVerified?: boolean | null;
        };
        /** @description `end` differs from `start`; a span over midnight has its start after its end */
        QuietHours: {
            start: string;
            end: string;
            /**
             * @description A name of the IANA time zone database, or an offset from UTC like +05:30
             * @example Europe/Berlin
             */
            timeZone: string;
        };
        /** @description `end` differs from `start`; a span over midnight has its start after its end */
        QuietHoursInput: {
            start: string;
            end: string;
            /**
             * @description A name of the IANA time zone database, or an offset from UTC like +05:30
             * @example Europe/Berlin
             */
            timeZone: string;
        };
        Rate: {
            /** Format: int64 */
            limit: number;
            /** Format: int64 */
            windowSeconds: number;
            by: string;
        };
        ReadModel: {
            name: string;
            /** Format: int64 */
            version: number | null;
            /**
             * Format: int64
             * @description Of the code of the process that answers
             */
            latestVersion: number;
            position: number | null;
            behind: number | null;
            /** @description Age of the oldest event that it has not handled */
            lagSeconds: number | null;
            /** @description Whether the version before the last rebuild can be put back */
            previousKept: boolean;
            rebuild: components["schemas"]["Rebuild"] | null;
        };
        ReadModelList: {
            /** Format: int64 */
            head: number;
            data: components["schemas"]["ReadModel"][];
        };
        Readiness: {
            /** @enum {string} */
            status: "ready" | "not ready";
            dependencies: {
                [key: string]: components["schemas"]["Dependency"];
            };
        };
        Rebuild: {
            /**
             * @description `requested` until a process that leads the projections begins it, or begins it again
             * @enum {string}
             */
            state: "requested" | "running" | "done" | "failed";
            /** Format: int64 */
            position: number | null;
            /**
             * Format: int64
             * @description The end of the log
             */
            head: number | null;
            /** Format: date-time */
            requestedAt: string | null;
            /** Format: date-time */
            startedAt: string | null;
            /** Format: date-time */
            finishedAt: string | null;
            error: string | null;
            /**
             * Format: uuid
             * @description Null for a rebuild that nobody asked the server for
             */
            requestedBy: string | null;
        };
        /**
         * @example {
         *       "reason": "A row is missing"
         *     }
         */
        RebuildReadModel: {
            /** @description Why. It is on record, for auditors */
            reason: string;
            /**
             * @description Switch even where rows differ from the live ones
             * @default false
             */
            force?: boolean;
        };
        RebuildRequested: {
            /** Format: uuid */
            actId: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
            rebuild: components["schemas"]["Rebuild"];
        };
        RecoveryCodes: {
            /** @description Ten, shown this once: each stands for a code of the app, one time */
            recoveryCodes: string[];
        };
        /**
         * @example {
         *       "refreshToken": "The last one that was given"
         *     }
         */
        Refresh: {
            refreshToken: string;
        };
        /**
         * @example {
         *       "role": "applicant",
         *       "email": "ada@example.com",
         *       "password": "a long enough secret",
         *       "displayName": "Ada"
         *     }
         */
        Register: {
            /** @enum {string} */
            role: "company" | "applicant";
            /**
             * Format: email
             * @description Spaces around it are dropped; an international domain may be written as it is read
             */
            email: string;
            /** @description None of the most common ones, no mere repetition, and nothing of the address or the name of its owner */
            password: string;
            /** @description Contains a visible character */
            displayName: string;
            /** @description The token of an invitation to a company, which the new account joins */
            invitation?: string | null;
        };
        Registered: {
            /** Format: uuid */
            userId: string;
            /**
             * Format: uuid
             * @description The company that the account has joined by its invitation
             */
            companyId?: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        /**
         * @example {
         *       "endpoint": "https://push.example.org/send/0199f5a0"
         *     }
         */
        RemovePushSubscription: {
            endpoint: string;
            expirationTime?: number | null;
            keys?: unknown;
        };
        /**
         * @example {
         *       "password": "a long enough secret",
         *       "code": "123456"
         *     }
         */
        RemoveTotp: {
            password: string;
            /** @description Of the app, or a recovery code */
            code: string;
        };
        /**
         * @description `batchIds`, or `all`
         * @example {
         *       "reason": "The mail server is back",
         *       "all": true
         *     }
         */
        ReplayNotifications: {
            reason: string;
            batchIds?: string[];
            /** @enum {boolean} */
            all?: true;
        };
        /**
         * @example {
         *       "userId": "0197a000-0000-7000-8000-000000000001"
         *     }
         */
        RequestErasure: {
            /** Format: uuid */
            userId: string;
        };
        /**
         * @example {
         *       "email": "ada@example.com"
         *     }
         */
        RequestPasswordReset: {
            /**
             * Format: email
             * @description Spaces around it are dropped; an international domain may be written as it is read
             */
            email: string;
        };
        /**
         * @example {
         *       "groupId": "0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f",
         *       "name": "cv.pdf",
         *       "contentType": "application/pdf",
         *       "size": 48213
         *     }
         */
        RequestUpload: {
            /** Format: uuid */
            groupId: string;
            name: string;
            /** @description A media type of at most 127 characters, one of `file.types` of `GET /v1/limits` that fits the name; parameters are dropped, and an empty one is `application/octet-stream` */
            contentType: string;
            /**
             * Format: int64
             * @description Bytes
             */
            size: number;
            /** @description Of the bytes */
            sha256?: string | null;
        };
        /**
         * @example {
         *       "token": "That of the link in the letter",
         *       "password": "another long secret"
         *     }
         */
        ResetPassword: {
            token: string;
            /** @description None of the most common ones, no mere repetition, and nothing of the address or the name of its owner */
            password: string;
        };
        SealKeys: {
            keys: {
                [key: string]: unknown;
            }[];
        };
        /** @description An event without its contents: the fields that its leaf is made of */
        SealedEvent: {
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
            stream: string;
            /** Format: int64 */
            revision: number;
            id: string;
            type: string;
            /** Format: int64 */
            v: number;
            occurredAt: string;
            recordedAt: string | null;
            /** @description SHA-256 in hexadecimal, of the JSON as it is stored */
            dataSha256: string;
            /** @description SHA-256 in hexadecimal, of the JSON as it is stored */
            metadataSha256: string;
        };
        /**
         * @description Has a text or at least one file
         * @example {
         *       "clientMsgId": "0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f",
         *       "text": "Hello"
         *     }
         */
        SendMessage: {
            /** Format: uuid */
            clientMsgId: string;
            /** @description Contains a visible character */
            text?: string | null;
            fileIds?: string[] | null;
            /** Format: uuid */
            replyTo?: string | null;
        };
        Session: {
            /** Format: uuid */
            sessionId: string;
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it was opened or last refreshed
             */
            lastUsedAt: string;
            /** @description What the client called itself at the login */
            userAgent: string | null;
            /** @description Whether it is the session that asks */
            current: boolean;
        };
        SessionList: {
            data: components["schemas"]["Session"][];
        };
        SessionsEnded: {
            /** Format: uuid */
            actId: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
            /** Format: int64 */
            endedSessions: number;
        };
        /**
         * @example {
         *       "push": false,
         *       "quietHours": {
         *         "start": "22:00",
         *         "end": "07:00",
         *         "timeZone": "Europe/Berlin"
         *       },
         *       "digestMinutes": 30
         *     }
         */
        SetNotificationPreferences: {
            /** @default true */
            email?: boolean;
            /** @default true */
            push?: boolean;
            /** @default [] */
            muted?: string[];
            /** @default null */
            quietHours?: components["schemas"]["QuietHoursInput"] | null;
            /**
             * Format: int32
             * @default 10
             */
            digestMinutes?: number;
            /**
             * @description Of applications and their threads that are assigned to nobody; null: `all` for owners only
             * @default null
             * @enum {string|null}
             */
            team?: "assigned" | "all" | null;
            /** @description As the last answer had it; says nothing */
            position?: string;
        };
        SharedFile: {
            /** Format: uuid */
            fileId: string;
            name: string;
            contentType: string;
            /**
             * Format: int64
             * @description bytes
             */
            size: number;
            /** @enum {string} */
            status: "pending" | "scanning" | "clean" | "infected" | "rejected";
            /** Format: uuid */
            groupId: string;
            /**
             * @description Why it was refused
             * @enum {string}
             */
            reason?: "infected" | "wrong-size" | "wrong-sha256" | "type-not-allowed" | "type-does-not-match" | "encrypted" | "archive-too-deep" | "image-too-large" | "inspection-failed" | "never-completed" | "never-sent" | "erased";
            /**
             * Format: uri
             * @description Downloads it, until expiresAt
             */
            url?: string;
            /** Format: date-time */
            expiresAt?: string;
            /**
             * Format: uri
             * @description A picture of it, for the caller alone: the same for an hour, and a browser may keep it as long
             */
            thumbnailUrl?: string;
            /**
             * @deprecated
             * @description The same as thumbnailUrl
             */
            thumbnail?: components["schemas"]["Thumbnail"];
        };
        System: {
            /** @enum {string} */
            status: "ready" | "not ready";
            dependencies: {
                [key: string]: components["schemas"]["DependencyDetails"];
            };
            nodes: components["schemas"]["Node"][];
            /** @description What one process does at a time, and which one */
            leases: components["schemas"]["Lease"][];
            filesToScan: components["schemas"]["Waiting"];
            queues: {
                [key: string]: components["schemas"]["Waiting"];
            };
        };
        Teammate: {
            /** Format: uuid */
            userId: string;
            displayName: string;
            /** @enum {string} */
            role: "owner" | "recruiter" | "interviewer" | "viewer";
            /** @description The jobs that the role is about; null for all of them */
            jobIds: string[] | null;
        };
        TeammateInvited: {
            /** Format: uuid */
            invitationId: string;
        };
        TeammatePage: {
            data: components["schemas"]["Teammate"][];
            nextCursor: string | null;
        };
        Thread: {
            /** Format: uuid */
            groupId: string;
            /** Format: uuid */
            applicationId: string;
            applicant: components["schemas"]["Applicant"];
            /** @enum {string} */
            status: "submitted" | "withdrawn" | "screening" | "interview" | "offer" | "hired" | "rejected";
            /** Format: uuid */
            assigneeId: string | null;
            /** Format: int64 */
            headSeq: number;
            /**
             * Format: int64
             * @description Up to where the caller has read, or was not there
             */
            readSeq: number;
            lastMessage: components["schemas"]["Message"] | null;
            /** Format: int64 */
            unreadCount: number;
            /**
             * @description Who is to answer
             * @enum {string}
             */
            waitingOn: "company" | "applicant";
            /**
             * Format: date-time
             * @description Of the first message without an answer, or of the application
             */
            waitingSince: string;
        };
        ThreadPage: {
            data: components["schemas"]["Thread"][];
            nextCursor: string | null;
        };
        Thumbnail: {
            /** Format: uri */
            url: string;
        };
        TokenAnswer: {
            access_token: string;
            /** @constant */
            token_type: "Bearer";
            /**
             * Format: int64
             * @description In seconds
             */
            expires_in: number;
            /** @description What the token of a client is good for */
            scope?: string;
            /** @description Of a token exchange */
            issued_token_type?: string;
        };
        /**
         * @example {
         *       "grant_type": "client_credentials",
         *       "scope": "users:write tokens:issue"
         *     }
         */
        TokenRequest: {
            /** @description `client_credentials`, or token exchange (RFC 8693) */
            grant_type: string;
            /** @description Some of the scopes of the client; all of them when absent */
            scope?: string;
            client_assertion_type?: string;
            /** @description A JWT signed by the client (RFC 7523) */
            client_assertion?: string;
            /** @description A JWT of a trusted issuer */
            subject_token?: string;
            subject_token_type?: string;
            requested_token_type?: string;
            actor_token?: string;
            audience?: string;
            resource?: string;
        } & {
            [key: string]: unknown;
        };
        TotpKey: {
            /** @description In base32, to type into an app */
            secret: string;
            /** @description To show as a QR code */
            otpauthUrl: string;
        };
        Trace: {
            event: components["schemas"]["TraceNode"];
            /** @description Whether there are, or may be, more events than are shown */
            truncated: boolean;
        };
        TraceNode: {
            position: string;
            /** Format: uuid */
            id: string;
            stream: string;
            /** Format: int64 */
            revision: number;
            type: string;
            /** Format: int64 */
            v: number;
            /** Format: date-time */
            occurredAt: string;
            /**
             * Format: uuid
             * @description Null for the system
             */
            actorId: string | null;
            correlationId: string | null;
            /** Format: uuid */
            causationId: string | null;
            /** @description The client that acted for the actor; absent without one */
            via?: components["schemas"]["Via"];
            /** @description Personal text is "[redacted]" unless a grant opens it */
            data: unknown;
            /**
             * @description How it is connected with the event that it is listed under
             * @enum {string|null}
             */
            relation: "caused" | "reliedOn" | null;
            causes: components["schemas"]["TraceNode"][];
            effects: components["schemas"]["TraceNode"][];
        };
        Unread: {
            /** Format: int64 */
            unreadCount: number;
        };
        /** @description Send the bytes there, with exactly these headers; then say that it is complete */
        Upload: {
            /** @constant */
            method: "PUT";
            /** Format: uri */
            url: string;
            headers: {
                [key: string]: string;
            };
            /** Format: date-time */
            expiresAt: string;
        };
        UploadCompleted: {
            /** @enum {string} */
            status: "pending" | "scanning" | "clean" | "infected" | "rejected";
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        UploadRequested: {
            /** Format: uuid */
            fileId: string;
            upload: components["schemas"]["Upload"];
            /** @constant */
            status: "pending";
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        User: {
            /** Format: uuid */
            id: string;
            /** @enum {string} */
            role: "company" | "applicant" | "auditor" | "admin";
            displayName: string;
        };
        UserName: {
            /** Format: uuid */
            userId: string;
            displayName: string;
        };
        UserNames: {
            data: components["schemas"]["UserName"][];
        };
        UserPut: {
            /** Format: uuid */
            userId: string;
            /** @description Opaque. Send it as X-Min-Position with a query that has to show this. */
            position: string;
        };
        UserState: {
            /** Format: uuid */
            userId: string;
            active: boolean;
        };
        UserToken: {
            accessToken: string;
            /**
             * Format: int64
             * @description In seconds
             */
            expiresIn: number;
        };
        Via: {
            clientId: string;
        };
        Waiting: {
            /**
             * Format: int64
             * @description Counted up to 10,000
             */
            count: number;
            oldestSeconds: number;
        };
        /** Format: uuid */
        Id: string;
        /** Format: date-time */
        Time: string;
        Position: string;
        /** @description of the log: it changes when the log was restored to an earlier state */
        Epoch: string;
        /** @enum {string} */
        GroupKind: "job" | "team" | "thread";
        /** @enum {string} */
        FileStatus: "pending" | "scanning" | "clean" | "infected" | "rejected";
        /** @enum {string} */
        RefusalReason: "infected" | "wrong-size" | "wrong-sha256" | "type-not-allowed" | "type-does-not-match" | "encrypted" | "archive-too-deep" | "image-too-large" | "inspection-failed" | "never-completed" | "never-sent" | "erased";
        ConversationEnvelope: components["schemas"]["MessageSentEnvelope"] | components["schemas"]["MessageEditedEnvelope"] | components["schemas"]["MessageDeletedEnvelope"] | components["schemas"]["ReactionAddedEnvelope"] | components["schemas"]["ReactionRemovedEnvelope"];
        RosterEnvelope: components["schemas"]["MemberJoinedEnvelope"] | components["schemas"]["MemberLeftEnvelope"] | components["schemas"]["MemberRemovedEnvelope"] | components["schemas"]["GroupClosedEnvelope"] | components["schemas"]["GroupReopenedEnvelope"];
        CaughtUpGroup: {
            groupId: components["schemas"]["Id"];
            events: components["schemas"]["ConversationEnvelope"][];
            headSeq: number;
            /** @description the seq with which the conversation begins for the caller; 1 when it is absent */
            firstSeq?: number;
            /** @description when afterRoster was sent; absent where the list of members is to be read again */
            roster?: components["schemas"]["RosterEnvelope"][];
            /** @description the version of the list of members: that of its last event, pushed or not */
            rosterHead?: number;
            /** @description false: call again after the last seq and the last roster */
            complete: boolean;
        };
        ResetGroup: {
            groupId: components["schemas"]["Id"];
            epoch: components["schemas"]["Epoch"];
            /**
             * @description the seq is of another log: forget the group, and start anew at 0
             * @constant
             */
            reset: true;
            headSeq: number;
            /** @description the seq with which the conversation begins for the caller; 1 when it is absent */
            firstSeq?: number;
            /** @description the version of the list of members: that of its last event, pushed or not */
            rosterHead?: number;
        };
        Refusal: {
            /** @constant */
            ok: false;
            error: components["schemas"]["Problem"];
        };
        SendMessageAnswer: {
            /** @constant */
            ok: true;
            messageId: components["schemas"]["Id"];
            seq: number;
            occurredAt: components["schemas"]["Time"];
            duplicate: boolean;
            position: components["schemas"]["Position"];
        };
        /** @description Has a text or at least one file */
        SendMessageRequest: {
            groupId: components["schemas"]["Id"];
            clientMsgId: components["schemas"]["Id"];
            text?: string | null;
            fileIds?: components["schemas"]["Id"][] | null;
            replyTo?: components["schemas"]["Id"] | null;
            /** @description W3C Trace Context: the span of the client */
            traceparent?: string | null;
        };
        EditMessageAnswer: {
            /** @constant */
            ok: true;
            seq: number;
            position: components["schemas"]["Position"];
        };
        EditMessageRequest: {
            groupId: components["schemas"]["Id"];
            messageId: components["schemas"]["Id"];
            text: string | null;
            /** @description W3C Trace Context: the span of the client */
            traceparent?: string | null;
        };
        DeleteMessageAnswer: {
            /** @constant */
            ok: true;
            seq: number;
            position: components["schemas"]["Position"];
        };
        DeleteMessageRequest: {
            groupId: components["schemas"]["Id"];
            messageId: components["schemas"]["Id"];
            /** @description W3C Trace Context: the span of the client */
            traceparent?: string | null;
        };
        AddReactionAnswer: {
            /** @constant */
            ok: true;
            seq: number;
            position: components["schemas"]["Position"];
        };
        AddReactionRequest: {
            groupId: components["schemas"]["Id"];
            messageId: components["schemas"]["Id"];
            /**
             * @description One emoji of Unicode, in any of its spellings
             * @example 👍
             */
            emoji: string;
            /** @description W3C Trace Context: the span of the client */
            traceparent?: string | null;
        };
        RemoveReactionAnswer: {
            /** @constant */
            ok: true;
            seq: number;
            position: components["schemas"]["Position"];
        };
        RemoveReactionRequest: {
            groupId: components["schemas"]["Id"];
            messageId: components["schemas"]["Id"];
            /**
             * @description One emoji of Unicode, in any of its spellings
             * @example 👍
             */
            emoji: string;
            /** @description W3C Trace Context: the span of the client */
            traceparent?: string | null;
        };
        MarkReadAnswer: {
            /** @constant */
            ok: true;
            unreadCount: number;
        };
        MarkReadRequest: {
            groupId: components["schemas"]["Id"];
            seq: number;
            /** @description W3C Trace Context: the span of the client */
            traceparent?: string | null;
        };
        TypingAnswer: {
            /** @constant */
            ok: true;
        };
        TypingRequest: {
            groupId: components["schemas"]["Id"];
            isTyping: boolean;
            /** @description W3C Trace Context: the span of the client */
            traceparent?: string | null;
        };
        JoinRoomAnswer: {
            /** @constant */
            ok: true;
            headSeq: number;
            /** @description the version of the list of members: that of its last event, pushed or not */
            rosterHead: number;
            epoch: components["schemas"]["Epoch"];
            kind: components["schemas"]["GroupKind"];
        };
        JoinRoomRequest: {
            groupId: components["schemas"]["Id"];
            /** @description W3C Trace Context: the span of the client */
            traceparent?: string | null;
        };
        LeaveRoomAnswer: {
            /** @constant */
            ok: true;
            headSeq: number;
        };
        LeaveRoomRequest: {
            groupId: components["schemas"]["Id"];
            /** @description W3C Trace Context: the span of the client */
            traceparent?: string | null;
        };
        SyncAnswer: {
            /** @constant */
            ok: true;
            epoch: components["schemas"]["Epoch"];
            groups: (components["schemas"]["CaughtUpGroup"] | components["schemas"]["ResetGroup"])[];
            /** @description groups that the caller is not a member of */
            denied: components["schemas"]["Id"][];
        };
        SyncRequest: {
            groups: {
                groupId: components["schemas"]["Id"];
                afterSeq: number;
                /** @description answers the changes of the list of members as well */
                afterRoster?: number | null;
            }[];
            /** @description of the log, when the seqs were learned */
            epoch?: string | null;
            /** @description W3C Trace Context: the span of the client */
            traceparent?: string | null;
        };
        RefreshAuthAnswer: {
            /** @constant */
            ok: true;
            /** @description seconds */
            expiresIn: number;
        };
        RefreshAuthRequest: {
            token: string;
            /** @description W3C Trace Context: the span of the client */
            traceparent?: string | null;
        };
        JoinRoomPush: {
            groupId: components["schemas"]["Id"];
            headSeq: number;
            /** @description the version of the list of members: that of its last event, pushed or not */
            rosterHead: number;
            epoch: components["schemas"]["Epoch"];
            kind: components["schemas"]["GroupKind"];
        };
        LeaveRoomPush: {
            groupId: components["schemas"]["Id"];
            /** @enum {string} */
            reason: "left" | "removed";
        };
        MessageSentEnvelope: {
            /** Format: uuid */
            id: string;
            /** @constant */
            type: "MessageSent";
            v: number;
            groupId: components["schemas"]["Id"];
            occurredAt: components["schemas"]["Time"];
            actorId: components["schemas"]["Id"] | null;
            data: {
                groupId: components["schemas"]["Id"];
                messageId: components["schemas"]["Id"];
                senderId: components["schemas"]["Id"];
                /** Format: uuid */
                clientMsgId: string;
                text: string | null;
                fileIds: components["schemas"]["Id"][];
                replyTo: components["schemas"]["Id"] | null;
            };
            seq: number;
        };
        MessageEditedEnvelope: {
            /** Format: uuid */
            id: string;
            /** @constant */
            type: "MessageEdited";
            v: number;
            groupId: components["schemas"]["Id"];
            occurredAt: components["schemas"]["Time"];
            actorId: components["schemas"]["Id"] | null;
            data: {
                groupId: components["schemas"]["Id"];
                messageId: components["schemas"]["Id"];
                text: string | null;
            };
            seq: number;
        };
        MessageDeletedEnvelope: {
            /** Format: uuid */
            id: string;
            /** @constant */
            type: "MessageDeleted";
            v: number;
            groupId: components["schemas"]["Id"];
            occurredAt: components["schemas"]["Time"];
            actorId: components["schemas"]["Id"] | null;
            data: {
                groupId: components["schemas"]["Id"];
                messageId: components["schemas"]["Id"];
            };
            seq: number;
        };
        ReactionAddedEnvelope: {
            /** Format: uuid */
            id: string;
            /** @constant */
            type: "ReactionAdded";
            v: number;
            groupId: components["schemas"]["Id"];
            occurredAt: components["schemas"]["Time"];
            actorId: components["schemas"]["Id"] | null;
            data: {
                groupId: components["schemas"]["Id"];
                messageId: components["schemas"]["Id"];
                userId: components["schemas"]["Id"];
                emoji: string;
            };
            seq: number;
        };
        ReactionRemovedEnvelope: {
            /** Format: uuid */
            id: string;
            /** @constant */
            type: "ReactionRemoved";
            v: number;
            groupId: components["schemas"]["Id"];
            occurredAt: components["schemas"]["Time"];
            actorId: components["schemas"]["Id"] | null;
            data: {
                groupId: components["schemas"]["Id"];
                messageId: components["schemas"]["Id"];
                userId: components["schemas"]["Id"];
                emoji: string;
            };
            seq: number;
        };
        MemberJoinedEnvelope: {
            /** Format: uuid */
            id: string;
            /** @constant */
            type: "MemberJoined";
            v: number;
            groupId: components["schemas"]["Id"];
            occurredAt: components["schemas"]["Time"];
            actorId: components["schemas"]["Id"] | null;
            data: {
                groupId: components["schemas"]["Id"];
                userId: components["schemas"]["Id"];
                /** @enum {string} */
                role: "admin" | "member";
            };
            roster: number;
        };
        MemberLeftEnvelope: {
            /** Format: uuid */
            id: string;
            /** @constant */
            type: "MemberLeft";
            v: number;
            groupId: components["schemas"]["Id"];
            occurredAt: components["schemas"]["Time"];
            actorId: components["schemas"]["Id"] | null;
            data: {
                groupId: components["schemas"]["Id"];
                userId: components["schemas"]["Id"];
            };
            roster: number;
        };
        MemberRemovedEnvelope: {
            /** Format: uuid */
            id: string;
            /** @constant */
            type: "MemberRemoved";
            v: number;
            groupId: components["schemas"]["Id"];
            occurredAt: components["schemas"]["Time"];
            actorId: components["schemas"]["Id"] | null;
            data: {
                groupId: components["schemas"]["Id"];
                userId: components["schemas"]["Id"];
            };
            roster: number;
        };
        GroupClosedEnvelope: {
            /** Format: uuid */
            id: string;
            /** @constant */
            type: "GroupClosed";
            v: number;
            groupId: components["schemas"]["Id"];
            occurredAt: components["schemas"]["Time"];
            actorId: components["schemas"]["Id"] | null;
            data: {
                groupId: components["schemas"]["Id"];
            };
            roster: number;
        };
        GroupReopenedEnvelope: {
            /** Format: uuid */
            id: string;
            /** @constant */
            type: "GroupReopened";
            v: number;
            groupId: components["schemas"]["Id"];
            occurredAt: components["schemas"]["Time"];
            actorId: components["schemas"]["Id"] | null;
            data: {
                groupId: components["schemas"]["Id"];
            };
            roster: number;
        };
        FileStatusChangedPush: {
            fileId: components["schemas"]["Id"];
            groupId: components["schemas"]["Id"];
            status: components["schemas"]["FileStatus"];
            reason?: components["schemas"]["RefusalReason"];
        };
        MessagesReadPush: {
            groupId: components["schemas"]["Id"];
            userId: components["schemas"]["Id"];
            seq: number;
        };
        UnreadChangedPush: {
            groupId: components["schemas"]["Id"];
            unreadCount: number;
            readSeq: number;
            /** @description that of the last event that the count knows of */
            headSeq: number;
            /** @description of all groups of the user; absent where there are too many */
            total?: number;
        };
        TypingPush: {
            groupId: components["schemas"]["Id"];
            userId: components["schemas"]["Id"];
            isTyping: boolean;
        };
        PresencePush: {
            userId: components["schemas"]["Id"];
            online: boolean;
        };
        ProfileChangedPush: {
            userId: components["schemas"]["Id"];
            displayName: string;
        };
        HeadsPush: {
            groups: {
                [key: string]: number;
            };
            /** @description the versions of those lists of members that changed */
            rosters?: {
                [key: string]: number;
            };
            epoch: components["schemas"]["Epoch"];
        };
        SessionExpiringPush: {
            /** @description seconds */
            expiresIn: number;
        };
        SessionEndedPush: {
            /** @enum {string} */
            code: "TOKEN_EXPIRED" | "TOKEN_INVALID" | "TOKEN_REVOKED";
        };
        DrainingPush: {
            reconnectInMs: number;
        };
        ClientEvents: {
            sendMessage: {
                payload: components["schemas"]["SendMessageRequest"];
                ack: components["schemas"]["SendMessageAnswer"] | components["schemas"]["Refusal"];
            };
            editMessage: {
                payload: components["schemas"]["EditMessageRequest"];
                ack: components["schemas"]["EditMessageAnswer"] | components["schemas"]["Refusal"];
            };
            deleteMessage: {
                payload: components["schemas"]["DeleteMessageRequest"];
                ack: components["schemas"]["DeleteMessageAnswer"] | components["schemas"]["Refusal"];
            };
            addReaction: {
                payload: components["schemas"]["AddReactionRequest"];
                ack: components["schemas"]["AddReactionAnswer"] | components["schemas"]["Refusal"];
            };
            removeReaction: {
                payload: components["schemas"]["RemoveReactionRequest"];
                ack: components["schemas"]["RemoveReactionAnswer"] | components["schemas"]["Refusal"];
            };
            markRead: {
                payload: components["schemas"]["MarkReadRequest"];
                ack: components["schemas"]["MarkReadAnswer"] | components["schemas"]["Refusal"];
            };
            typing: {
                payload: components["schemas"]["TypingRequest"];
                ack: components["schemas"]["TypingAnswer"] | components["schemas"]["Refusal"];
            };
            joinRoom: {
                payload: components["schemas"]["JoinRoomRequest"];
                ack: components["schemas"]["JoinRoomAnswer"] | components["schemas"]["Refusal"];
            };
            leaveRoom: {
                payload: components["schemas"]["LeaveRoomRequest"];
                ack: components["schemas"]["LeaveRoomAnswer"] | components["schemas"]["Refusal"];
            };
            sync: {
                payload: components["schemas"]["SyncRequest"];
                ack: components["schemas"]["SyncAnswer"] | components["schemas"]["Refusal"];
            };
            refreshAuth: {
                payload: components["schemas"]["RefreshAuthRequest"];
                ack: components["schemas"]["RefreshAuthAnswer"] | components["schemas"]["Refusal"];
            };
        };
        ServerEvents: {
            joinRoom: components["schemas"]["JoinRoomPush"];
            leaveRoom: components["schemas"]["LeaveRoomPush"];
            messageSent: components["schemas"]["MessageSentEnvelope"];
            messageEdited: components["schemas"]["MessageEditedEnvelope"];
            messageDeleted: components["schemas"]["MessageDeletedEnvelope"];
            reactionAdded: components["schemas"]["ReactionAddedEnvelope"];
            reactionRemoved: components["schemas"]["ReactionRemovedEnvelope"];
            memberJoined: components["schemas"]["MemberJoinedEnvelope"];
            memberLeft: components["schemas"]["MemberLeftEnvelope"];
            memberRemoved: components["schemas"]["MemberRemovedEnvelope"];
            groupClosed: components["schemas"]["GroupClosedEnvelope"];
            groupReopened: components["schemas"]["GroupReopenedEnvelope"];
            fileStatusChanged: components["schemas"]["FileStatusChangedPush"];
            messagesRead: components["schemas"]["MessagesReadPush"];
            unreadChanged: components["schemas"]["UnreadChangedPush"];
            typing: components["schemas"]["TypingPush"];
            presence: components["schemas"]["PresencePush"];
            profileChanged: components["schemas"]["ProfileChangedPush"];
            heads: components["schemas"]["HeadsPush"];
            sessionExpiring: components["schemas"]["SessionExpiringPush"];
            sessionEnded: components["schemas"]["SessionEndedPush"];
            draining: components["schemas"]["DrainingPush"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export interface operations {
    getLimits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limits"];
                };
            };
        };
    };
    register: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Register"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Registered"];
                };
            };
        };
    };
    logIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoggedIn"];
                };
            };
        };
    };
    refresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Refresh"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoggedIn"];
                };
            };
        };
    };
    logOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    requestEmailVerification: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailVerificationRequested"];
                };
            };
        };
    };
    requestPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RequestPasswordReset"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Empty"];
                };
            };
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
        };
    };
    eraseMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EraseMe"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErasureAsked"];
                };
            };
        };
    };
    changeMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeMe"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedMe"];
                };
            };
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePassword"];
            };
        };
        responses: {
            /** @description The password is changed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    changeEmail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeEmail"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Empty"];
                };
            };
        };
    };
    listSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
        };
    };
    endSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    beginTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BeginTotp"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TotpKey"];
                };
            };
        };
    };
    removeTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RemoveTotp"];
            };
        };
        responses: {
            /** @description Logins need no code any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    confirmTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmTotp"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
        };
    };
    download: {
        parameters: {
            query: {
                token: string;
            };
            header?: never;
            path: {
                fileId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
            /** @description The part that Range asks for */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
        };
    };
    askToConfirmEmail: {
        parameters: {
            query: {
                token: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    confirmEmail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmEmail"];
                "application/x-www-form-urlencoded": components["schemas"]["ConfirmEmail"];
            };
        };
        responses: {
            /** @description The address is confirmed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailConfirmed"];
                    "text/html": string;
                };
            };
        };
    };
    askForNewPassword: {
        parameters: {
            query: {
                token: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    resetPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResetPassword"];
                "application/x-www-form-urlencoded": components["schemas"]["ResetPassword"];
            };
        };
        responses: {
            /** @description The same, as a page for the form of one */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The password is changed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    showInvitation: {
        parameters: {
            query: {
                token: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    upload: {
        parameters: {
            query: {
                token: string;
            };
            header?: never;
            path: {
                fileId: string;
            };
            cookie?: never;
        };
        /** @description Of the type and the size that the upload was asked for */
        requestBody: {
            content: {
                "*/*": string;
            };
        };
        responses: {
            /** @description Stored */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    askToUnsubscribe: {
        parameters: {
            query: {
                token: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    unsubscribe: {
        parameters: {
            query: {
                token: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    issueToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenAnswer"];
                };
            };
        };
    };
    putUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                externalId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutUser"];
            };
        };
        responses: {
            /** @description The account was there */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserPut"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserPut"];
                };
            };
        };
    };
    deactivateUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserState"];
                };
            };
        };
    };
    reactivateUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserState"];
                };
            };
        };
    };
    issueUserToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IssueUserToken"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserToken"];
                };
            };
        };
    };
    listJobs: {
        parameters: {
            query?: {
                /** @description Words, "phrases", or, -not */
                q?: string;
                status?: "open" | "closed";
                /** @description Only those of the caller’s company that its role reaches; for an applicant, those it has applied for */
                mine?: "true" | "false";
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPage"];
                };
            };
        };
    };
    postJob: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PostJob"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPosted"];
                };
            };
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
        };
    };
    changeJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                jobId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeJob"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    listThreads: {
        parameters: {
            query?: {
                status?: "submitted" | "withdrawn" | "screening" | "interview" | "offer" | "hired" | "rejected";
                unread?: "true" | "false";
                assigneeId?: string;
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ThreadPage"];
                };
            };
        };
    };
    closeJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    apply: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Apply"];
            };
        };
        responses: {
            /** @description The caller had applied before, and is a member again if it had left or withdrawn */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Applied"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Applied"];
                };
            };
        };
    };
    listApplications: {
        parameters: {
            query?: {
                jobId?: string;
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApplicationPage"];
                };
            };
        };
    };
    withdrawApplication: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                applicationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    changeApplicationStatus: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                applicationId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeApplicationStatus"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    assignApplication: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                applicationId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AssignApplication"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    listNotes: {
        parameters: {
            query?: {
                /** @description Not together with afterSeq */
                beforeSeq?: number;
                /** @description Not together with beforeSeq */
                afterSeq?: number;
                limit?: number;
            };
            header?: never;
            path: {
                applicationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotePage"];
                };
            };
        };
    };
    addNote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                applicationId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddNote"];
            };
        };
        responses: {
            /** @description It had been added before */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NoteAdded"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NoteAdded"];
                };
            };
        };
    };
    deleteNote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                applicationId: string;
                noteId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    listGroups: {
        parameters: {
            query?: {
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupPage"];
                };
            };
        };
    };
    getGroup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                groupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
        };
    };
    listMembers: {
        parameters: {
            query?: {
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                groupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberPage"];
                };
            };
        };
    };
    addMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                groupId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddMember"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    removeMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                groupId: string;
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    getCompany: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Company"];
                };
            };
        };
    };
    changeCompany: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeCompany"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedCompany"];
                };
            };
        };
    };
    listTeammates: {
        parameters: {
            query?: {
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TeammatePage"];
                };
            };
        };
    };
    removeTeammate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    changeTeammate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeTeammate"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    listInvitations: {
        parameters: {
            query?: {
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationPage"];
                };
            };
        };
    };
    inviteTeammate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InviteTeammate"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TeammateInvited"];
                };
            };
        };
    };
    revokeInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invitationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    acceptInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AcceptInvitation"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationAccepted"];
                };
            };
        };
    };
    listMessages: {
        parameters: {
            query?: {
                /** @description Not together with afterSeq or aroundSeq */
                beforeSeq?: number;
                /** @description Not together with beforeSeq or aroundSeq */
                afterSeq?: number;
                /** @description Not together with beforeSeq or afterSeq */
                aroundSeq?: number;
                limit?: number;
            };
            header?: never;
            path: {
                groupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HistoryPage"];
                };
            };
        };
    };
    sendMessage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                groupId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendMessage"];
            };
        };
        responses: {
            /** @description It had been sent before */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageSent"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageSent"];
                };
            };
        };
    };
    getMessage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                groupId: string;
                messageId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
        };
    };
    deleteMessage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                groupId: string;
                messageId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageChanged"];
                };
            };
        };
    };
    editMessage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                groupId: string;
                messageId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditMessage"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageChanged"];
                };
            };
        };
    };
    addReaction: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                groupId: string;
                messageId: string;
                /** @description One emoji of Unicode, in any of its spellings */
                emoji: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageChanged"];
                };
            };
        };
    };
    removeReaction: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                groupId: string;
                messageId: string;
                /** @description One emoji of Unicode, in any of its spellings */
                emoji: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageChanged"];
                };
            };
        };
    };
    markRead: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                groupId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MarkRead"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Unread"];
                };
            };
        };
    };
    searchMessages: {
        parameters: {
            query: {
                /** @description Words, "phrases", or, -not */
                q: string;
                groupId?: string;
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessagePage"];
                };
            };
        };
    };
    listUsers: {
        parameters: {
            query: {
                /** @description Repeated, or separated by commas */
                ids: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserNames"];
                };
            };
        };
    };
    listFiles: {
        parameters: {
            query: {
                /** @description Repeated, or separated by commas */
                ids: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileList"];
                };
            };
        };
    };
    requestUpload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RequestUpload"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadRequested"];
                };
            };
        };
    };
    completeUpload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                fileId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadCompleted"];
                };
            };
        };
    };
    getFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                fileId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SharedFile"];
                };
            };
        };
    };
    getNotificationPreferences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationPreferences"];
                };
            };
        };
    };
    setNotificationPreferences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetNotificationPreferences"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationPreferencesSet"];
                };
            };
        };
    };
    changeNotificationPreferences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeNotificationPreferences"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationPreferencesSet"];
                };
            };
        };
    };
    getPushKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PushKey"];
                };
            };
        };
    };
    addPushSubscription: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddPushSubscription"];
            };
        };
        responses: {
            /** @description It was there already */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Empty"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Empty"];
                };
            };
        };
    };
    removePushSubscription: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RemovePushSubscription"];
            };
        };
        responses: {
            /** @description Nothing more is sent to it */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    muteGroup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                groupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    unmuteGroup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                groupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    exportEvents: {
        parameters: {
            query?: {
                stream?: string;
                category?: "account" | "company" | "job" | "application" | "notes" | "chatGroup" | "conversation" | "file" | "grant" | "hold" | "retention" | "operation";
                /** @description At most 20, separated by commas */
                type?: string;
                /** @description The id of a user, or system */
                actor?: string | "system";
                correlation?: string;
                from?: string;
                to?: string;
                limit?: number;
                afterPosition?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description NDJSON */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": components["schemas"]["AuditLine"];
                };
            };
        };
    };
    requestErasure: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RequestErasure"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErasureAsked"];
                };
            };
        };
    };
    getErasure: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                erasureId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erasure"];
                };
            };
        };
    };
    withdrawErasure: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                erasureId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    listHolds: {
        parameters: {
            query?: {
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HoldPage"];
                };
            };
        };
    };
    placeHold: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlaceHold"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HoldPlaced"];
                };
            };
        };
    };
    releaseHold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                holdId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    exportOwnData: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description NDJSON */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": components["schemas"]["ExportLine"];
                };
            };
        };
    };
    exportPerson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExportPerson"];
            };
        };
        responses: {
            /** @description NDJSON */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": components["schemas"]["ExportLine"];
                };
            };
        };
    };
    getPastStream: {
        parameters: {
            query?: {
                atRevision?: number;
                at?: string;
                afterRevision?: number;
            };
            header?: never;
            path: {
                streamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PastStream"];
                };
            };
        };
    };
    getPastGroup: {
        parameters: {
            query?: {
                at?: string;
                atPosition?: string;
                /** @description Messages before this one, the last ones first in the page */
                beforeSeq?: number;
                /** @description Messages after this one */
                afterSeq?: number;
                limit?: number;
            };
            header?: never;
            path: {
                groupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PastGroup"];
                };
            };
        };
    };
    traceEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                eventId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trace"];
                };
            };
        };
    };
    listAccessGrants: {
        parameters: {
            query?: {
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessGrantPage"];
                };
            };
        };
    };
    grantAccess: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GrantAccess"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessGranted"];
                };
            };
        };
    };
    endAccess: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                grantId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    listCheckpoints: {
        parameters: {
            query?: {
                /** @description Only checkpoints of more events: the size of the last one known, or nextCursor */
                after?: number;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckpointPage"];
                };
            };
        };
    };
    proveInclusion: {
        parameters: {
            query: {
                /** @description Of the event */
                position: string;
                /** @description Of a checkpoint; by default the last one */
                size?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InclusionProof"];
                };
            };
        };
    };
    proveConsistency: {
        parameters: {
            query: {
                /** @description The size of the older checkpoint */
                from: number;
                /** @description The size of the newer checkpoint */
                to: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConsistencyProof"];
                };
            };
        };
    };
    listAccounts: {
        parameters: {
            query?: {
                /** @description The id of a user, or the beginning of an e-mail address or of a name, in any case */
                q?: string;
                role?: "company" | "applicant" | "auditor" | "admin";
                status?: "active" | "suspended";
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountPage"];
                };
            };
        };
    };
    getAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountDetails"];
                };
            };
        };
    };
    suspendUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Act"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionsEnded"];
                };
            };
        };
    };
    endSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndSessions"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionsEnded"];
                };
            };
        };
    };
    restoreUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Act"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Acted"];
                };
            };
        };
    };
    resetSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Act"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Acted"];
                };
            };
        };
    };
    verifyEmail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Act"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Acted"];
                };
            };
        };
    };
    listPostings: {
        parameters: {
            query?: {
                /** @description Words, "phrases", or, -not */
                q?: string;
                status?: "open" | "closed";
                companyId?: string;
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PostingPage"];
                };
            };
        };
    };
    takeDownJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                jobId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Act"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Acted"];
                };
            };
        };
    };
    getNotificationBacklog: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationBacklog"];
                };
            };
        };
    };
    listParkedBatches: {
        parameters: {
            query?: {
                /** @description nextCursor of the page before */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ParkedBatchPage"];
                };
            };
        };
    };
    replayNotifications: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayNotifications"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationsReplayed"];
                };
            };
        };
    };
    listReadModels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReadModelList"];
                };
            };
        };
    };
    rebuildReadModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RebuildReadModel"];
            };
        };
        responses: {
            /** @description Asked for, or under way already */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RebuildRequested"];
                };
            };
        };
    };
    rollBackReadModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Act"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Acted"];
                };
            };
        };
    };
    getSystem: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["System"];
                };
            };
        };
    };
}
